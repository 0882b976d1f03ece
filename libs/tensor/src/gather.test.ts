import { ShoalError } from '@shoal/core';
import * as fc from 'fast-check';
import { decodeStrings, encodeStrings } from './byte-elements';
import { allocateBatch, putBytes, scatterBytes, scatterStrings } from './gather';

/** All parts, one after the other; the offset behind the last. */
function gather(parts: readonly Uint8Array[], target: Uint8Array): number {
  return parts.reduce((at, part) => putBytes(part, target, at), 0);
}

const rows = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 });

test('what is gathered is scattered back', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 9 }), (counts, width) => {
      const parts = counts.map((count, member) => new Uint8Array(count * width).fill(member + 1));
      const total = counts.reduce((sum, count) => sum + count, 0);
      const batch = allocateBatch('UINT8', [total, width]);
      expect(gather(parts, batch.bytes)).toBe(total * width);
      expect(scatterBytes(batch.bytes, counts).map((part) => [...part])).toEqual(parts.map((part) => [...part]));
    }),
  );
});

test('the same for strings', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 3 }), (counts, width) => {
      const parts = counts.map((count, member) =>
        encodeStrings(Array.from({ length: count * width }, (_, i) => `é${member}.${i}`)),
      );
      const strings: string[] = [];
      for (const part of parts) decodeStrings(part, strings);
      expect(scatterStrings(strings, counts).map((part) => decodeStrings(part))).toEqual(
        parts.map((part) => decodeStrings(part)),
      );
    }),
  );
});

test('a batch buffer is one memory, as elements and as bytes, aligned whatever the members are', () => {
  const message = new Uint8Array([9, 0, 0, 128, 63, 0, 0, 0, 64]);
  const batch = allocateBatch('FP32', [2]);
  gather([message.subarray(1, 5), message.subarray(5, 9)], batch.bytes);
  expect([...batch.array]).toEqual([1, 2]);
});

test('scattered parts are views', () => {
  const output = new Uint8Array(6);
  const [, second] = scatterBytes(output, [1, 2]);
  expect([second?.buffer, second?.byteOffset, second?.length]).toEqual([output.buffer, 2, 4]);
});

test('what does not fit or divide is refused', () => {
  expect(() => putBytes(new Uint8Array(3), new Uint8Array(4), 2)).toThrow('rows do not fit');
  expect(() => scatterBytes(new Uint8Array(7), [1, 2])).toThrow(ShoalError);
  expect(() => scatterStrings(['a'], [0])).toThrow('cannot be divided into 0 rows');
  expect(() => allocateBatch('FP64', [2 ** 40, 2 ** 40])).toThrow(ShoalError);
});
