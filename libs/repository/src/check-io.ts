import type { ModelConfig } from '@shoal/protocol';
import { invalid } from './refuse';

type Tensor = ModelConfig['input'][number] | ModelConfig['output'][number];

/**
 * Checks the inputs and outputs that a config describes, by Triton's rules and words. What is merely missing (data type,
 * dims) is let through unless `complete`: it may still come from the model.
 */
export function checkTensors(config: ModelConfig, model: string, complete: boolean): void {
  for (const [kind, tensors] of [
    ['input', config.input],
    ['output', config.output],
  ] as const) {
    const seen = new Set<string>();
    for (const tensor of tensors) {
      checkTensor(kind, tensor, model, complete);
      if (seen.has(tensor.name))
        throw invalid(`model ${kind} '${tensor.name}' is specified more than once for ${model}`);
      seen.add(tensor.name);
    }
  }
  for (const input of config.input) {
    if (input.format !== 'FORMAT_NONE' && input.dims.length !== 3)
      throw invalid(`model input NHWC/NCHW require 3 dims for ${model}`);
  }
}

function checkTensor(kind: 'input' | 'output', tensor: Tensor, model: string, complete: boolean): void {
  if (tensor.name === '') throw invalid(`model ${kind} must specify 'name' for ${model}`);
  const who = `model ${kind} '${tensor.name}'`;
  if (complete && tensor.data_type === 'TYPE_INVALID') throw invalid(`${who} must specify 'data_type' for ${model}`);
  if (complete && tensor.dims.length === 0) throw invalid(`${who} must specify 'dims' for ${model}`);
  if (!tensor.dims.every(isDim))
    throw invalid(`${who} dimension must be integer >= 1, or -1 to indicate a variable-size dimension for ${model}`);
  if (tensor.is_shape_tensor) throw invalid(`shape tensors are only supported for TensorRT platform for ${model}`);
  if (tensor.is_non_linear_format_io)
    throw invalid(`Non-linear IO format is only supported for the TensorRT platform for ${model}`);
  if (tensor.reshape !== null && tensor.dims.length > 0) checkReshape(who, tensor.dims, tensor.reshape.shape, model);
}

/**
 * A reshape must keep the element count; with variable dimensions, the count between each two of them. An empty reshape
 * stands for a scalar and takes one element.
 */
function checkReshape(who: string, dims: readonly number[], shape: readonly number[], model: string): void {
  if (!shape.every(isDim))
    throw invalid(
      `${who} reshape dimensions must be integer >= 1, or -1 to indicate a variable-size dimension for ${model}`,
    );
  const wire = runsBetweenVariableDims(dims);
  const own = runsBetweenVariableDims(shape);
  if (wire.length > 1 && own.length > 1 && wire.length !== own.length)
    throw invalid(`${who} has different number of variable-size dimensions for dims and reshape for ${model}`);
  if (wire.length !== own.length || wire.some((count, index) => count !== own[index]))
    throw invalid(`${who} has different size for dims and reshape for ${model}`);
}

/** Element counts of the stretches that variable dimensions part; BigInt, as a config may claim any size. */
function runsBetweenVariableDims(dims: readonly number[]): bigint[] {
  const runs = [1n];
  for (const dim of dims) {
    if (dim === -1) runs.push(1n);
    else runs.push((runs.pop() ?? 1n) * BigInt(dim));
  }
  return runs;
}

function isDim(dim: number): boolean {
  return dim === -1 || dim >= 1;
}
