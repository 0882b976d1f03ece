import * as fc from 'fast-check';
import { byteSize, elementCount } from './shape';

test('the product of the dimensions, exactly, or undefined', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.maxSafeNat()), { maxLength: 6 }), (shape) => {
      const exact = shape.reduce((product, dim) => product * BigInt(dim), 1n);
      expect(elementCount(shape)).toBe(exact > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(exact));
    }),
  );
});

test('scalars, empty tensors, impossible dimensions', () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([3, 0])).toBe(0);
  expect(elementCount([2 ** 52, 2 ** 52, 0])).toBe(0);
  expect(elementCount(Array<number>(64).fill(2 ** 52))).toBeUndefined();
  for (const dim of [-1, 0.5, NaN, Infinity, 2 ** 53]) expect(elementCount([2, dim])).toBeUndefined();
});

test('bytes', () => {
  expect(byteSize('FP32', [2, 3])).toBe(24);
  expect(byteSize('BYTES', [2, 3])).toBeUndefined();
  expect(byteSize('FP64', [2 ** 51])).toBeUndefined();
  expect(byteSize('INT8', [-1])).toBeUndefined();
});
