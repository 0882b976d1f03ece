/** The number that 16 bits of FP16 (IEEE 754 binary16) stand for. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The number that 16 bits of BF16 stand for: the upper half of an FP32. */
export function fromBrain(bits: number): number {
  word[0] = bits << 16;
  return float[0] ?? 0;
}
