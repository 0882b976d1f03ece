import { ShoalError } from '@shoal/core';
import type { ModelSignature, TensorSpec } from '@shoal/protocol';
import { scatterBytes, scatterStrings } from '@shoal/tensor';
import { dataTypeOfOrt } from './ort-types';
import { reshapeDims } from './reshape';
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
 * that was computed. Throws INTERNAL, for the whole batch, when the output's type is not the config's, or when its first
 * dimension is not the batch: rows that cannot be told apart must not reach anybody.
 */
export function scatterOutputs(
  signature: ModelSignature,
  outputs: readonly ThreadTensor[],
  rows: readonly number[],
): readonly OutputPart[][] {
  const parts: OutputPart[][] = rows.map(() => []);
  for (const output of outputs) {
    const index = signature.outputs.findIndex(({ name }) => name === output.name);
    const spec = signature.outputs[index] as TensorSpec;
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
  const where = () => `output '${spec.name}' of model '${signature.model}'`;
  if (dataTypeOfOrt(output.type) !== spec.datatype) {
    throw new ShoalError('INTERNAL', `${where()} came as ${output.type}, its configuration says ${spec.datatype}`);
  }
  let modelDims = output.dims;
  if (signature.maxBatchSize > 0) {
    let total = 0;
    for (const count of rows) total += count;
    if (output.dims[0] !== total) {
      throw new ShoalError(
        'INTERNAL',
        `${where()} has shape [${output.dims.join(',')}], its first dimension must be the batch size ${total}`,
      );
    }
    modelDims = output.dims.slice(1);
  }
  // A model may give a shape that neither it nor its config could tell beforehand; the answer tells the true one.
  return reshapeDims(modelDims, spec.modelDims, spec.dims) ?? modelDims;
}
