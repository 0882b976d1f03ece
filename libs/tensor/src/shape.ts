import { type DataType, elementSize } from './data-type';

/**
 * Number of elements of a tensor of this shape: 1 for a scalar. Undefined when a dimension is negative or not an
 * integer, or when the number leaves the range in which doubles are exact, so a hostile shape can neither overflow nor
 * cause an allocation.
 */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  let empty = false;
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) return undefined;
    if (dim === 0) empty = true;
    // Beyond 2^53 the product is inexact, but it never comes back below.
    else count *= dim;
  }
  if (empty) return 0;
  return Number.isSafeInteger(count) ? count : undefined;
}

/**
 * Bytes of the raw contents of a tensor; undefined where `elementCount` is, where the product leaves the exact range,
 * and for BYTES, whose size depends on its elements.
 */
export function byteSize(datatype: DataType, shape: readonly number[]): number | undefined {
  const width = elementSize(datatype);
  const count = elementCount(shape);
  if (width === 0 || count === undefined) return undefined;
  const bytes = count * width;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
