import { seededRandom } from '@shoal/core';
import { bf16ToFp32, fp16ToFp32, fp32ToBf16, fp32ToFp16, narrow, widen } from './float16';

const words = Array.from({ length: 65536 }, (_, word) => word);

test.each([
  ['FP16', fp16ToFp32, fp32ToFp16],
  ['BF16', bf16ToFp32, fp32ToBf16],
] as const)('%s: every word but the NaNs round-trips', (_name, widenOne, narrowOne) => {
  const changed = words.filter((word) => {
    const value = widenOne(word);
    return Number.isNaN(value) ? !Number.isNaN(widenOne(narrowOne(value))) : narrowOne(value) !== word;
  });
  expect(changed).toEqual([]);
});

/** The nearest of all finite words, ties to the even one: by search, independent of the bit tricks. */
function nearest(value: number, sorted: readonly { word: number; value: number }[], overflow: number): number {
  if (value >= overflow) return sorted.at(-1)!.word + 1;
  let low = 0;
  let high = sorted.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.value <= value) low = middle;
    else high = middle;
  }
  const below = sorted[low]!;
  const above = sorted[high]!;
  const distance = value - below.value - (above.value - value);
  if (distance === 0) return below.word % 2 === 0 ? below.word : above.word;
  return distance < 0 ? below.word : above.word;
}

test.each([
  ['FP16', fp16ToFp32, fp32ToFp16, 0x7c00, 65520],
  ['BF16', bf16ToFp32, fp32ToBf16, 0x7f80, 511 * 2 ** 119],
] as const)('%s: rounds to nearest, ties to even', (_name, widenOne, narrowOne, infinity, overflow) => {
  const finite = words.slice(0, infinity).map((word) => ({ word, value: widenOne(word) }));
  const random = seededRandom(11);
  const wrong: number[] = [];
  for (let round = 0; round < 20000; round += 1) {
    const at = Math.floor(random.next() * (finite.length - 1));
    const low = finite[at]!.value;
    const high = finite[at + 1]!.value;
    // Half of the time exactly half-way, else anywhere between two neighbours.
    const value = Math.fround(round % 2 === 0 ? (low + high) / 2 : low + random.next() * (high - low));
    const expected = nearest(value, finite, overflow);
    if (narrowOne(value) !== expected || narrowOne(-value) !== (expected | 0x8000)) wrong.push(value);
  }
  expect(wrong).toEqual([]);
});

test('the ends of the range', () => {
  expect([65504, 65519.99, 65520, Infinity].map(fp32ToFp16)).toEqual([0x7bff, 0x7bff, 0x7c00, 0x7c00]);
  expect([2 ** -24, 2 ** -25, 1.0000001 * 2 ** -25, -0].map(fp32ToFp16)).toEqual([1, 0, 1, 0x8000]);
  expect([1023.5 * 2 ** -24, 2 ** -14].map(fp32ToFp16)).toEqual([0x400, 0x400]);
  expect([1, -2, Infinity, -Infinity, -0].map(fp32ToBf16)).toEqual([0x3f80, 0xc000, 0x7f80, 0xff80, 0x8000]);
  expect(fp32ToBf16(3.4028234663852886e38)).toBe(0x7f80);
});

test('whole tensors', () => {
  const values = Float32Array.of(1, -2, 0.5);
  expect([...widen('FP16', narrow('FP16', values))]).toEqual([...values]);
  expect([...widen('BF16', narrow('BF16', values))]).toEqual([...values]);
});
