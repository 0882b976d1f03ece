import { ShoalError } from '@shoal/core';
import { type DataType, bytesOf, encodeByteElements, tensorArray } from '@shoal/tensor';
import * as fc from 'fast-check';
import { messageType } from './testing/schema';
import { bytesField, floatField, varintField } from './testing/wire-bytes';
import { measureContents } from './typed-contents';

const encode = (contents: object): Buffer => {
  const type = messageType('InferTensorContents');
  return Buffer.from(type.encode(type.fromObject(contents)).finish());
};
const toRaw = (contents: Buffer, datatype: string): number[] => [
  ...measureContents(contents, 'I', 'm', datatype).toRaw(),
];
const raw = (datatype: Exclude<DataType, 'BYTES'>, values: (number | bigint)[]): number[] => {
  const array = tensorArray(datatype, new Uint8Array(8 * values.length)).subarray(0, values.length);
  values.forEach((value, i) => (array[i] = value));
  return [...bytesOf(array)];
};

const int32s = fc.array(fc.integer());
const uint32s = fc.array(fc.nat({ max: 2 ** 32 - 1 }));
const cases: [Exclude<DataType, 'BYTES'>, string, fc.Arbitrary<(number | bigint)[]>][] = [
  ['INT8', 'int_contents', int32s],
  ['INT16', 'int_contents', int32s],
  ['INT32', 'int_contents', int32s],
  ['INT64', 'int64_contents', fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))],
  ['UINT8', 'uint_contents', uint32s],
  ['UINT16', 'uint_contents', uint32s],
  ['UINT32', 'uint_contents', uint32s],
  ['UINT64', 'uint64_contents', fc.array(fc.bigInt(0n, 2n ** 64n - 1n))],
  ['FP32', 'fp32_contents', fc.array(fc.float({ noNaN: true }))],
  ['FP64', 'fp64_contents', fc.array(fc.double({ noNaN: true }))],
];

test.each(cases)(
  '%s from %s is what the same values are in raw form, narrowed to the low bits',
  (type, field, values) => {
    fc.assert(
      fc.property(values, (list) => {
        const strings = list.map((value) => (typeof value === 'bigint' ? value.toString() : value));
        expect(toRaw(encode({ [field]: strings }), type)).toEqual(raw(type, list));
      }),
    );
  },
);

test('BOOL: any varint but zero is 1', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean()), (values) => {
      expect(toRaw(encode({ bool_contents: values }), 'BOOL')).toEqual(values.map(Number));
    }),
  );
  expect(toRaw(Buffer.from(varintField(1, 2n ** 63n)), 'BOOL')).toEqual([1]);
});

test('BYTES: elements behind their lengths', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), (elements) => {
      const contents = Buffer.concat(elements.map((element) => bytesField(8, element)));
      expect(toRaw(contents, 'BYTES')).toEqual([...encodeByteElements(elements)]);
    }),
  );
});

test('packed and single values mix, in order', () => {
  const contents = Buffer.concat([varintField(2, 1), bytesField(2, Uint8Array.of(2, 3)), varintField(2, -1)]);
  expect(toRaw(contents, 'INT8')).toEqual([1, 2, 3, 255]);
});

test('nothing at all is no bytes', () => {
  expect(measureContents(Buffer.alloc(0), 'I', 'm', 'INT32').byteLength).toBe(0);
  expect(toRaw(Buffer.alloc(0), 'NOPE')).toEqual([]);
});

describe('refused', () => {
  const message = "unexpected explicit tensor data for input tensor 'I' for model 'm'";
  test.each([
    [
      'values of another type',
      encode({ int64_contents: [1] }),
      'INT32',
      `${message} of type 'INT64', expected datatype 'INT32'`,
    ],
    [
      'an unknown type',
      encode({ fp32_contents: [1] }),
      'NOPE',
      `${message} of type 'FP32', expected datatype '<invalid>'`,
    ],
    [
      'values of two types',
      encode({ int_contents: [1], fp32_contents: [1] }),
      'INT32',
      `${message}, binary data was already supplied.`,
    ],
    ['packed floats cut short', Buffer.from(bytesField(6, new Uint8Array(6))), 'FP32', 'truncated 4-byte number'],
    ['an element cut short', Buffer.from([0x42, 5, 1]), 'BYTES', "malformed contents of input 'I'"],
    ['a float cut short', Buffer.from(floatField(6, 1)).subarray(0, 3), 'FP32', 'truncated 4-byte number at byte 1'],
  ])('%s', (_name, contents, datatype, text) => {
    const measure = (): unknown => measureContents(contents, 'I', 'm', datatype);
    expect(measure).toThrow(ShoalError);
    expect(measure).toThrow(text);
  });
});
