import { ShoalError } from '@shoal/core';
import { encodeStrings } from './byte-elements';
import { type DataType, elementSize } from './data-type';
import { elementCount } from './shape';
import { type TensorArray, arrayOver } from './view';

/** A batch's input buffer: the same memory as elements for the model and as bytes for the gathering. */
export interface BatchBuffer {
  readonly array: TensorArray;
  readonly bytes: Uint8Array;
}

/**
 * Allocates room for a tensor of `shape`, zeroed and aligned. Throws RESOURCE_EXHAUSTED for a shape whose size cannot
 * be computed exactly; the caller bounds sizes before it comes here.
 */
export function allocateBatch(datatype: Exclude<DataType, 'BYTES'>, shape: readonly number[]): BatchBuffer {
  const count = elementCount(shape);
  if (count === undefined)
    throw new ShoalError('RESOURCE_EXHAUSTED', `a tensor of shape [${shape.join(',')}] is too large`);
  const buffer = new ArrayBuffer(count * elementSize(datatype));
  return { array: arrayOver(datatype, buffer, 0, count), bytes: new Uint8Array(buffer) };
}

/** Bytes that are not here yet: they are read straight to where they are wanted. */
export interface ByteSource {
  readonly byteLength: number;
  /** Copies all of them to `target` from `at`. @throws ShoalError when they are not there any more. */
  readInto(target: Uint8Array, at: number): void;
  /** Nobody reads them any more. */
  release(): void;
}

/**
 * Copies a member's rows to `target` from `at`: the one copy that batching needs. Returns the offset behind the last row,
 * where the next member's begin. Throws INTERNAL when they do not fit.
 */
export function putBytes(part: Uint8Array | ByteSource, target: Uint8Array, at: number): number {
  if (part.byteLength > target.length - at) throw new ShoalError('INTERNAL', 'rows do not fit the batch buffer');
  if (part instanceof Uint8Array) target.set(part, at);
  else part.readInto(target, at);
  return at + part.byteLength;
}

/**
 * Cuts a batch's output back into the members' parts, in order: views, no copy. `rows[i]` rows belong to member i.
 * Throws INTERNAL when the output is not divisible into so many rows: a model that mixes its batch up.
 */
export function scatterBytes(output: Uint8Array, rows: readonly number[]): Uint8Array[] {
  const rowBytes = perRow(output.length, rows);
  let at = 0;
  return rows.map((count) => {
    const start = at;
    at += count * rowBytes;
    return output.subarray(start, at);
  });
}

/** As `scatterBytes`, for an output of strings: each member's part as raw BYTES contents. */
export function scatterStrings(output: readonly string[], rows: readonly number[]): Uint8Array[] {
  const rowElements = perRow(output.length, rows);
  let at = 0;
  return rows.map((count) => {
    const start = at;
    at += count * rowElements;
    return encodeStrings(output.slice(start, at));
  });
}

function perRow(total: number, rows: readonly number[]): number {
  let sum = 0;
  for (const count of rows) sum += count;
  if (sum === 0 && total === 0) return 0;
  const each = total / sum;
  if (!Number.isInteger(each)) throw new ShoalError('INTERNAL', `the output cannot be divided into ${sum} rows`);
  return each;
}
