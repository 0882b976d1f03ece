import { ShoalError } from '@shoal/core';
import { bytesOf, decodeStrings } from '@shoal/tensor';
import { classify } from './classify';

const texts = (got: { bytes: Uint8Array }): string[] => decodeStrings(got.bytes);

test('each row has its own ranking; the batch dimension stays', () => {
  const scores = Float32Array.of(0.1, 0.7, 0.2, 3, -1, 3);
  const got = classify('FP32', bytesOf(scores), [2, 3], true, 2, ['a', '', 'c']);
  expect(got.shape).toEqual([2, 2]);
  expect(texts(got)).toEqual(['0.700000:1', '0.200000:2:c', '3.000000:0:a', '3.000000:2:c']);
});

test('without a batch dimension all elements are one list, and k is capped at their number', () => {
  const got = classify('INT64', bytesOf(BigInt64Array.of(5n, -(2n ** 63n), 2n ** 62n)), [1, 3], false, 9);
  expect(got.shape).toEqual([3]);
  expect(texts(got)).toEqual(['4611686018427387904:2', '5:0', '-9223372036854775808:1']);
});

test('NaN ranks last, infinities are spelled out', () => {
  const got = classify('FP64', bytesOf(Float64Array.of(NaN, -Infinity, Infinity, NaN)), [1, 4], true, 4);
  expect(texts(got)).toEqual(['inf:2', '-inf:1', 'nan:0', 'nan:3']);
});

test.each(['UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32'] as const)('%s', (type) => {
  const one = new Uint8Array(16);
  one[0] = 1;
  expect(
    texts(classify(type, one, [1, 16 / (type.endsWith('64') ? 8 : Number(type.slice(-2)) / 8 || 1)], true, 1))[0],
  ).toBe('1:0');
});

test('an empty output has no classes', () => {
  expect(classify('FP32', new Uint8Array(0), [1, 0], true, 3)).toMatchObject({ shape: [1, 0] });
});

test.each(['BOOL', 'FP16', 'BF16', 'BYTES'] as const)('%s has no scores', (type) => {
  const run = (): unknown => classify(type, new Uint8Array(0), [0], false, 1);
  expect(run).toThrow(ShoalError);
  expect(run).toThrow(`class result not available for output due to unsupported type '${type}'`);
});
