/**
 * Numbers in classes that are about as wide as they are large: 1, 2, 3, 4–5, 6–7, 8–11, 12–15, … Below 64 for whole numbers
 * from 1 to 2^32 - 1.
 */
export function halfOctave(number: number): number {
  const octave = 31 - Math.clz32(number);
  return octave === 0 ? 0 : 2 * octave + ((number >>> (octave - 1)) & 1) - 1;
}
