/**
 * Writes an integer with a prefix (RFC 7541 §5.1) and returns the position behind it.
 * @param prefixMax 2^N - 1 of the N-bit prefix
 * @param firstBits the bits in front of the prefix
 */
export function writeInteger(out: Uint8Array, at: number, value: number, prefixMax: number, firstBits: number): number {
  if (value < prefixMax) {
    out[at] = firstBits | value;
    return at + 1;
  }
  out[at++] = firstBits | prefixMax;
  let rest = value - prefixMax;
  while (rest > 127) {
    out[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  out[at] = rest;
  return at + 1;
}
