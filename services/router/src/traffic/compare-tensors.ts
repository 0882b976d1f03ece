import { type DataType, isDataType, tensorArray } from '@shoal/tensor';
import { fromBrain, fromHalf } from './half';
import type { Tolerance } from './traffic-rules';

/** How two tensors of one type and shape differ. */
export interface TensorDifference {
  /** Largest |a - b| over all elements; Infinity where only one is a number; undefined for BYTES. */
  readonly largest: number | undefined;
  /** Of the first element, in row-major order, that is further apart than allowed; undefined for BYTES. */
  readonly element: number | undefined;
}

const floats: readonly DataType[] = ['FP16', 'BF16', 'FP32', 'FP64'];

/**
 * Compares raw contents; undefined = equal. Equal are the same bytes; and with a tolerance, floating-point elements that are
 * near enough, both NaN, or the same infinity. Integers and BYTES must be the same.
 */
export function compareTensors(
  datatype: string,
  a: Uint8Array,
  b: Uint8Array,
  { absolute, relative }: Tolerance,
): TensorDifference | undefined {
  if (Buffer.compare(a, b) === 0) return undefined;
  if (!isDataType(datatype) || datatype === 'BYTES' || a.length !== b.length) {
    return { largest: undefined, element: undefined };
  }
  const one = tensorArray(datatype, a);
  const other = tensorArray(datatype, b);
  const tolerant = (absolute > 0 || relative > 0) && floats.includes(datatype);
  const number = reader(datatype);
  let largest = 0;
  let element: number | undefined;
  for (let i = 0; i < one.length; i += 1) {
    const [bitsA, bitsB] = [one[i] ?? 0, other[i] ?? 0];
    if (bitsA === bitsB) continue;
    const [x, y] = [number(bitsA), number(bitsB)];
    if (tolerant && Number.isNaN(x) && Number.isNaN(y)) continue;
    const apart = Math.abs(x - y);
    const distance = Number.isNaN(apart) ? Infinity : apart;
    largest = Math.max(largest, distance);
    const allowed = tolerant && distance <= absolute + relative * Math.abs(x) && distance !== Infinity;
    if (!allowed) element ??= i;
  }
  if (tolerant && element === undefined) return undefined;
  return { largest, element };
}

function reader(datatype: DataType): (element: number | bigint) => number {
  if (datatype === 'FP16') return (bits) => fromHalf(Number(bits));
  if (datatype === 'BF16') return (bits) => fromBrain(Number(bits));
  return Number;
}
