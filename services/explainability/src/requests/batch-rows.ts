import { byteElements } from './byte-elements';
import { invalid } from './refuse';
import type { Tensor } from './tensor';

/** How many rows the inputs of a batch have: their first dimension. @throws ShoalError INVALID_ARGUMENT */
export function rowCount(tensors: readonly Tensor[], most: number): number {
  const count = tensors[0]?.shape[0] ?? 0;
  if (count < 1 || tensors.some(({ shape }) => shape[0] !== count)) {
    throw invalid('the first dimension of each input is the rows to explain: the same number for all, at least 1');
  }
  if (count > most) throw invalid(`${count} rows, at most ${most} are explained in one call`);
  return count;
}

/** One row of each input, with a first dimension of 1. */
export function rowAt(tensors: readonly Tensor[], at: number, count: number): Tensor[] {
  return tensors.map((tensor) => {
    const { bytes, shape, datatype } = tensor;
    const size = bytes.length / count;
    const perRow = shape.slice(1).reduce((product, dim) => product * dim, 1);
    const own =
      datatype === 'BYTES'
        ? byteElements(bytes, at * perRow, (at + 1) * perRow)
        : bytes.subarray(size * at, size * (at + 1));
    return { ...tensor, shape: [1, ...shape.slice(1)], bytes: own };
  });
}
