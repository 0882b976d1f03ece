import { compareTensors } from './compare-tensors';
import { fromBrain, fromHalf } from './half';

const exact = { absolute: 0, relative: 0 };

function bytes(array: ArrayBufferView): Uint8Array {
  // Off every alignment, as in a message.
  const whole = new Uint8Array(array.byteLength + 1);
  whole.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 1);
  return whole.subarray(1);
}

function fp32(...values: number[]): Uint8Array {
  return bytes(Float32Array.from(values));
}

test('the numbers of 16 bits', () => {
  const half = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x8000, 0x7c00, 0xfc00].map(fromHalf);
  expect(half).toEqual([1, -2, 65504, 2 ** -24, 2 ** -14, -0, Infinity, -Infinity]);
  expect(fromHalf(0x7e00)).toBeNaN();
  expect([0x3f80, 0xc000, 0x4049, 0x7f80].map(fromBrain)).toEqual([1, -2, 3.140625, Infinity]);
  expect(fromBrain(0x7fc0)).toBeNaN();
});

test('the same bytes are equal, whatever they are', () => {
  expect(compareTensors('FP32', fp32(1, NaN), fp32(1, NaN), exact)).toBeUndefined();
  expect(compareTensors('BYTES', Buffer.from('abc'), Buffer.from('abc'), exact)).toBeUndefined();
});

test('without a tolerance other bytes differ, by so much', () => {
  expect(compareTensors('FP32', fp32(1, 2, 3), fp32(1, 2.5, 3.25), exact)).toEqual({ largest: 0.5, element: 1 });
  expect(compareTensors('FP32', fp32(0), fp32(-0), exact)).toEqual({ largest: 0, element: undefined });
});

test('within the tolerance: absolute, relative to the first, or both', () => {
  const [a, b] = [fp32(100, 0), fp32(101, 0.01)];
  expect(compareTensors('FP32', a, b, { absolute: 0.02, relative: 0 })).toEqual({ largest: 1, element: 0 });
  expect(compareTensors('FP32', a, b, { absolute: 0, relative: 0.02 })).toMatchObject({ element: 1 });
  expect(compareTensors('FP32', a, b, { absolute: 0.02, relative: 0.02 })).toBeUndefined();
  // 100 is a hundredth of 10,000: relative to what the client got, not to the other one.
  expect(compareTensors('FP32', fp32(1), fp32(100), { absolute: 0, relative: 0.99 })).toMatchObject({ element: 0 });
});

test('NaN and infinities: equal to themselves, beyond every tolerance to all else', () => {
  const loose = { absolute: 1e9, relative: 1e9 };
  const odd = Float32Array.from([Number.NaN]);
  new Uint32Array(odd.buffer)[0] = 0x7fc00001;
  expect(compareTensors('FP32', fp32(NaN), bytes(odd), loose)).toBeUndefined();
  for (const [a, b] of [
    [NaN, 1],
    [1, NaN],
    [Infinity, 1],
    [1, -Infinity],
    [Infinity, -Infinity],
  ] as const) {
    expect(compareTensors('FP32', fp32(a), fp32(b), loose)).toEqual({ largest: Infinity, element: 0 });
  }
});

test.each([
  ['FP16', Uint16Array.from([0x3c00]), Uint16Array.from([0x3c01]), 2 ** -10],
  ['BF16', Uint16Array.from([0x3f80]), Uint16Array.from([0x3f81]), 2 ** -7],
  ['FP64', Float64Array.from([1]), Float64Array.from([1.5]), 0.5],
])('%s has a tolerance too', (datatype, a, b, difference) => {
  expect(compareTensors(datatype, bytes(a), bytes(b), { absolute: difference, relative: 0 })).toBeUndefined();
  const found = compareTensors(datatype, bytes(a), bytes(b), { absolute: difference / 2, relative: 0 });
  expect(found).toEqual({ largest: difference, element: 0 });
});

test('integers and strings must be the same, whatever the tolerance', () => {
  const loose = { absolute: 1e9, relative: 1e9 };
  const [a, b] = [bytes(BigInt64Array.from([1n, 2n ** 60n])), bytes(BigInt64Array.from([1n, 2n ** 60n + 1n]))];
  expect(compareTensors('INT64', a, b, loose)).toMatchObject({ element: 1 });
  expect(compareTensors('UINT8', Buffer.from([1, 9]), Buffer.from([1, 4]), loose)).toEqual({ largest: 5, element: 1 });
  const strings = compareTensors('BYTES', Buffer.from('abc'), Buffer.from('abd'), loose);
  expect(strings).toEqual({ largest: undefined, element: undefined });
});

test('contents of other lengths differ', () => {
  expect(compareTensors('FP32', fp32(1), fp32(1, 2), exact)).toEqual({ largest: undefined, element: undefined });
});
