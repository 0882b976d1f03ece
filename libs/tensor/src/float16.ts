/*
 * IEEE 754 binary16 and bfloat16 ↔ binary32, by bits; narrowing rounds to nearest, ties to even, as hardware does.
 * NaNs stay NaNs (quiet), infinities and signed zeros stay what they are.
 */

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

function bitsOf(value: number): number {
  floats[0] = value;
  return bits[0] as number;
}

function floatOf(word: number): number {
  bits[0] = word;
  return floats[0] as number;
}

/** The binary16 value `half` (its 16 bits) as a number: exact. */
export function fp16ToFp32(half: number): number {
  const sign = (half & 0x8000) === 0 ? 1 : -1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** `value`, first rounded to binary32, as the 16 bits of the nearest binary16; 65520 and above become infinity. */
export function fp32ToFp16(value: number): number {
  const word = bitsOf(value);
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 0x477ff000 is 65520, half-way between the largest finite binary16 and the next power of two.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 the result is subnormal: a multiple of 2^-24. The sum with 0.5 makes the float unit round it, ties to even.
  if (magnitude < 0x38800000) return sign | (bitsOf(floatOf(magnitude) + 0.5) & 0x3ff) | carry(magnitude);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** 0x400 where a subnormal rounds up to the smallest normal number, whose bit does not fit the 10-bit mask. */
function carry(magnitude: number): number {
  return bitsOf(floatOf(magnitude) + 0.5) - 0x3f000000 === 0x400 ? 0x400 : 0;
}

/** The bfloat16 value `word` (its 16 bits) as a number: exact. */
export function bf16ToFp32(word: number): number {
  return floatOf((word & 0xffff) << 16);
}

/** `value`, first rounded to binary32, as the 16 bits of the nearest bfloat16. */
export function fp32ToBf16(value: number): number {
  const word = bitsOf(value);
  if ((word & 0x7fffffff) > 0x7f800000) return ((word >>> 16) | 0x40) & 0xffff;
  return ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Widens a whole tensor of 16-bit words. */
export function widen(datatype: 'FP16' | 'BF16', words: Uint16Array): Float32Array {
  const convert = datatype === 'FP16' ? fp16ToFp32 : bf16ToFp32;
  const out = new Float32Array(words.length);
  for (let i = 0; i < words.length; i += 1) out[i] = convert(words[i] as number);
  return out;
}

/** Narrows a whole tensor to 16-bit words. */
export function narrow(datatype: 'FP16' | 'BF16', values: Float32Array): Uint16Array {
  const convert = datatype === 'FP16' ? fp32ToFp16 : fp32ToBf16;
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i += 1) out[i] = convert(values[i] as number);
  return out;
}
