import { ShoalError } from '@shoal/core';
import { type DataType, elementSize } from './data-type';

/** What holds the elements of each data type in JavaScript: FP16 and BF16 as their 16 bits, BOOL as 0 and 1. */
export type TensorArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

const arrays = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
  BF16: Uint16Array,
} as const;

/** The typed array over `length` elements of `buffer` from `byteOffset`, which must be a multiple of the element size. */
export function arrayOver(
  datatype: Exclude<DataType, 'BYTES'>,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TensorArray {
  return new arrays[datatype](buffer as ArrayBuffer, byteOffset, length);
}

/**
 * Raw contents as a typed array: a view where the bytes happen to lie aligned, else a copy (bytes cut from a message
 * seldom are). Throws INTERNAL when the length is no multiple of the element size: checked requests never are.
 */
export function tensorArray(datatype: Exclude<DataType, 'BYTES'>, bytes: Uint8Array): TensorArray {
  const width = elementSize(datatype);
  if (bytes.length % width !== 0) {
    throw new ShoalError('INTERNAL', `${bytes.length} bytes are no whole number of ${datatype} elements`);
  }
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return arrayOver(datatype, aligned.buffer, aligned.byteOffset, bytes.length / width);
}

/** The raw contents of a typed array: a view, no copy. Little-endian, as every machine Shoal runs on. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}
