import { bytesOf, tensorArray } from './view';

test('aligned bytes are seen in place, unaligned ones are copied', () => {
  const memory = new Uint8Array(16);
  const aligned = tensorArray('FP32', memory.subarray(4, 12));
  const unaligned = tensorArray('FP32', memory.subarray(2, 10));
  expect([aligned.buffer === memory.buffer, unaligned.buffer === memory.buffer]).toEqual([true, false]);
  expect([aligned.length, unaligned.length]).toEqual([2, 2]);
});

test('values survive the way to bytes and back, wherever the bytes lie', () => {
  const values = BigInt64Array.of(-1n, 2n ** 62n);
  const moved = new Uint8Array(19);
  moved.set(bytesOf(values), 3);
  expect([...tensorArray('INT64', moved.subarray(3))]).toEqual([...values]);
});

test('a slice of a pooled Buffer is copied by value', () => {
  const buffer = Buffer.from([1, 0, 2, 0]);
  expect([...tensorArray('UINT16', buffer)]).toEqual([1, 2]);
});

test('a broken length is refused', () => {
  expect(() => tensorArray('INT32', new Uint8Array(6))).toThrow('6 bytes are no whole number of INT32 elements');
});
