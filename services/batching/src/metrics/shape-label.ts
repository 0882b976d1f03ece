/** The fewest bytes that a row of a bucket of `LatencyTable` has, as a label: 1B, 2B, 3B, 4B, 6B, 8B, 12B … */
export function shapeLabel(bucket: number): string {
  const octave = (bucket + 1) >> 1;
  const half = bucket === 0 ? 0 : (bucket + 1) & 1;
  return `${2 ** octave + half * 2 ** (octave - 1)}B`;
}
