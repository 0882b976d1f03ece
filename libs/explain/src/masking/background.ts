import { ShoalError } from '@shoal/core';
import { type DataType, decodeByteElements, elementSize } from '@shoal/tensor';

/** One explained input's rows of a background. */
export interface BackgroundInput {
  readonly name: string;
  readonly datatype: DataType;
  /** Of one row, without the batch dimension. */
  readonly shape: readonly number[];
  /** Raw contents of all rows, one after the other. */
  readonly contents: Uint8Array;
}

/** Rows that stand for "absent": what a model sees where it is not told. */
export interface Background {
  readonly rows: number;
  readonly inputs: readonly BackgroundInput[];
  /** [rows], adding up to 1; undefined: all rows count the same. */
  readonly weights: Float64Array | undefined;
}

/** @throws ShoalError INVALID_ARGUMENT where contents do not hold as many whole rows for each input, or weights do not add up. */
export function checkBackground({ rows, inputs, weights }: Background): void {
  if (!Number.isInteger(rows) || rows < 1)
    throw new ShoalError('INVALID_ARGUMENT', `a background has at least one row, got ${rows}`);
  for (const { name, datatype, shape, contents } of inputs) {
    const elements = rows * shape.reduce((product, dim) => product * dim, 1);
    const got = datatype === 'BYTES' ? decodeByteElements(contents).length : contents.length / elementSize(datatype);
    if (got !== elements)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `background input '${name}': ${rows} rows of shape [${shape.join(',')}] are ${elements} elements, got ${got}`,
      );
  }
  if (weights === undefined) return;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (weights.length !== rows || weights.some((weight) => !(weight >= 0)) || Math.abs(sum - 1) > 1e-9)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `a background of ${rows} rows needs as many weights, none negative, that add up to 1`,
    );
}

/**
 * Names a background by what is in it: the same for the same rows, types, shapes and weights. The caller brings the digest
 * (of the parts one after the other), as this package does no more than arithmetic.
 */
export function hashBackground(
  { rows, inputs, weights }: Background,
  digest: (parts: readonly Uint8Array[]) => string,
): string {
  const about = inputs.map(({ name, datatype, shape, contents }) => [name, datatype, shape, contents.length]);
  const head = new TextEncoder().encode(JSON.stringify([rows, about, weights === undefined ? null : [...weights]]));
  return digest([head, ...inputs.map(({ contents }) => contents)]);
}
