import { ShoalError } from '@shoal/core';
import type { ModelSignature, TensorSpec } from '@shoal/protocol';
import { elementCount, encodeStrings } from '@shoal/tensor';
import type { InputDims } from './gather';
import type { OutputPart } from './scatter';
import { type ThreadTensor, isStrings } from './thread-messages';

/**
 * Cuts an output that has the elements of all members in a row: each gets as many as the output's configured shape holds, whose
 * variable dimensions are those of its input `source`. Throws INTERNAL, for the whole batch, when that is not all that there is.
 */
export function scatterLike(
  { model }: ModelSignature,
  { name, dims }: TensorSpec,
  output: ThreadTensor,
  rows: readonly number[],
  dimsOfInputs: readonly InputDims[],
  source: number,
): Omit<OutputPart, 'index'>[] {
  const total = elementCount(output.dims) ?? 0;
  const shapes = rows.map((count, i) => {
    const like = dimsOfInputs[i]?.[source] ?? [];
    return [count, ...dims.map((size, axis) => (size === -1 ? (like[axis] ?? 1) : size))];
  });
  const counts = shapes.map((shape) => elementCount(shape) ?? Infinity);
  const wanted = counts.reduce((sum, count) => sum + count, 0);
  if (wanted !== total) {
    throw new ShoalError(
      'INTERNAL',
      `output '${name}' of model '${model}' has ${total} elements, the shapes of its requests hold ${wanted}`,
    );
  }
  let at = 0;
  return shapes.map((shape, i) => {
    const begin = at;
    at += counts[i] as number;
    return { shape, bytes: cutOut(output.data, total, begin, at) };
  });
}

function cutOut(data: ThreadTensor['data'], total: number, begin: number, end: number): Uint8Array {
  if (isStrings(data)) return encodeStrings(data.slice(begin, end));
  const each = total === 0 ? 0 : data.byteLength / total;
  return data.subarray(begin * each, end * each);
}
