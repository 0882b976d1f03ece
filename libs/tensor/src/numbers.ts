import { ShoalError } from '@shoal/core';
import { type DataType, elementSize } from './data-type';
import { bytesOf, tensorArray } from './view';

type Numeric = Exclude<DataType, 'BYTES'>;

/** Raw contents as numbers, one for each element: FP16 and BF16 by their values, 64-bit integers rounded beyond 2^53. */
export function toNumbers(datatype: Numeric, bytes: Uint8Array): Float64Array {
  const array = tensorArray(datatype, bytes);
  if (datatype === 'FP16') return Float64Array.from(array as Uint16Array, halfToNumber);
  if (datatype === 'BF16') return Float64Array.from(array as Uint16Array, brainToNumber);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) return Float64Array.from(array, Number);
  return Float64Array.from(array);
}

/**
 * Numbers as raw contents: floating point rounded to nearest, integers rounded and held within their type's range, BOOL 1 from one half on.
 * @throws ShoalError INVALID_ARGUMENT for what is no number where the type has none such.
 */
export function fromNumbers(datatype: Numeric, numbers: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(numbers.length * elementSize(datatype));
  const array = tensorArray(datatype, bytes);
  if (array instanceof Float32Array || array instanceof Float64Array) {
    array.set(numbers);
    return bytesOf(array);
  }
  if (datatype === 'FP16' || datatype === 'BF16') {
    const encode = datatype === 'FP16' ? numberToHalf : numberToBrain;
    for (let i = 0; i < numbers.length; i += 1) array[i] = encode(numbers[i] as number) as never;
    return bytesOf(array);
  }
  const [low, high] = rangeOf(datatype);
  for (let i = 0; i < numbers.length; i += 1) {
    const value = numbers[i] as number;
    if (Number.isNaN(value)) {
      throw new ShoalError('INVALID_ARGUMENT', `NaN cannot be an element of the data type ${datatype}`);
    }
    const whole = Math.min(Math.max(Math.round(value), low), high);
    array[i] = (
      array instanceof BigInt64Array || array instanceof BigUint64Array ? wide(whole, datatype) : whole
    ) as never;
  }
  return bytesOf(array);
}

function rangeOf(datatype: Numeric): readonly [number, number] {
  if (datatype === 'BOOL') return [0, 1];
  const bits = 8 * elementSize(datatype);
  return datatype.startsWith('U') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** 2^63 and 2^64 are doubles; the largest elements are not. */
function wide(whole: number, datatype: Numeric): bigint {
  return datatype === 'INT64'
    ? BigInt.asIntN(64, min(BigInt(whole), 2n ** 63n - 1n))
    : min(BigInt(whole), 2n ** 64n - 1n);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Round half to even, as IEEE 754 has it. */
function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  // log2 of a number just below a power of two may be that power's.
  const power = size < 2 ** exponent ? exponent - 1 : exponent;
  return sign | (((power + 15) << 10) + roundEven((size / 2 ** power - 1) * 1024));
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const scratch = new DataView(new ArrayBuffer(4));

function brainToNumber(bits: number): number {
  scratch.setUint32(0, bits * 65536);
  return scratch.getFloat32(0);
}

function numberToBrain(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  return Math.floor((bits + 0x7fff + (Math.floor(bits / 65536) & 1)) / 65536) & 0xffff;
}
