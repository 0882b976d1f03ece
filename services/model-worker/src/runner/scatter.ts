import { ShoalError } from '@shoal/core';
import type { ModelSignature, TensorSpec } from '@shoal/protocol';
import { scatterBytes, scatterStrings } from '@shoal/tensor';
import type { InputDims } from './gather';
import { dataTypeOfOrt } from './ort-types';
import { reshapeDims } from './reshape';
import { scatterLike } from './scatter-like';
import { type ThreadTensor, isStrings } from './thread-messages';

/** One member's part of one output. */
export interface OutputPart {
  /** Index into the model's configured outputs. */
  readonly index: number;
  /** Wire shape, with the batch dimension where the model has one. */
  readonly shape: readonly number[];
  /** Raw little-endian contents: a view into the batch's output, except for BYTES. */
  readonly bytes: Uint8Array;
}

/**
 * Cuts the outputs of a run into the members' parts: `result[i]` holds what member i of `rows` gets of each output
 * that was computed. `dimsOfInputs`: the shapes of each member's inputs, for outputs that are cut by these. Throws INTERNAL, for the whole batch, when the output's type is not the config's, or when its first
 * dimension is not the batch: rows that cannot be told apart must not reach anybody.
 */
export function scatterOutputs(
  signature: ModelSignature,
  outputs: readonly ThreadTensor[],
  rows: readonly number[],
  dimsOfInputs: readonly InputDims[] = [],
): readonly OutputPart[][] {
  const parts: OutputPart[][] = rows.map(() => []);
  for (const output of outputs) {
    const index = signature.outputs.findIndex(({ name }) => name === output.name);
    const spec = signature.outputs[index] as TensorSpec;
    const like = signature.ragged?.scattered.find((one) => one.output === index);
    if (like) {
      checkType(signature, spec, output);
      const cuts = scatterLike(signature, spec, output, rows, dimsOfInputs, like.source);
      for (const [i, cut] of cuts.entries()) parts[i]?.push({ index, ...cut });
      continue;
    }
    const dims = wireDims(signature, spec, output, rows);
    const cut = isStrings(output.data)
      ? scatterStrings(output.data, signature.maxBatchSize > 0 ? rows : [1])
      : scatterBytes(output.data, signature.maxBatchSize > 0 ? rows : [1]);
    let shape: readonly number[] = dims;
    for (let i = 0; i < cut.length; i += 1) {
      // Members of as many rows share their shape.
      if (signature.maxBatchSize > 0 && (i === 0 || rows[i] !== rows[i - 1])) shape = [rows[i] as number, ...dims];
      parts[i]?.push({ index, shape, bytes: cut[i] as Uint8Array });
    }
  }
  return parts;
}

/** The output's shape on the wire without the batch dimension. */
function wireDims(
  signature: ModelSignature,
  spec: TensorSpec,
  output: ThreadTensor,
  rows: readonly number[],
): readonly number[] {
  checkType(signature, spec, output);
  let modelDims = output.dims;
  if (signature.maxBatchSize > 0) {
    let total = 0;
    for (const count of rows) total += count;
    if (output.dims[0] !== total) {
      throw new ShoalError(
        'INTERNAL',
        `${where(signature, spec)} has shape [${output.dims.join(',')}], its first dimension must be the batch size ${total}`,
      );
    }
    modelDims = output.dims.slice(1);
  }
  // A model may give a shape that neither it nor its config could tell beforehand; the answer tells the true one.
  return reshapeDims(modelDims, spec.modelDims, spec.dims) ?? modelDims;
}

function checkType(signature: ModelSignature, spec: TensorSpec, { type }: ThreadTensor): void {
  if (dataTypeOfOrt(type) === spec.datatype) return;
  throw new ShoalError(
    'INTERNAL',
    `${where(signature, spec)} came as ${type}, its configuration says ${spec.datatype}`,
  );
}

function where({ model }: ModelSignature, { name }: TensorSpec): string {
  return `output '${name}' of model '${model}'`;
}
