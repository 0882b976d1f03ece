import { ShoalError } from '@shoal/core';
import { dataTypeOfConfig } from '@shoal/tensor';
import type { ModelConfig__Output as ModelConfig } from './generated/inference/ModelConfig';
import { compileRagged } from './ragged-plan';
import type { ModelSignature, TensorSpec } from './signature';

/**
 * Compiles what requests are checked against from a model's config (as protobufs decode it: all defaults filled in).
 * Throws INVALID_ARGUMENT for a tensor without a data type.
 */
export function compileSignature(config: ModelConfig, version: number | string): ModelSignature {
  const inputs = config.input.map((input) => ({
    ...compileTensor(config.name, input),
    optional: input.optional,
    ragged: input.allow_ragged_batch,
  }));
  const outputs = config.output.map((output) => ({
    ...compileTensor(config.name, output),
    optional: false,
    ragged: false,
  }));
  const ragged = compileRagged(config);
  return {
    model: config.name,
    version: String(version),
    maxBatchSize: config.max_batch_size,
    inputs,
    outputs,
    fixedShapes: inputs.every((input) => input.dims.every((dim) => dim !== -1)),
    ...(ragged && { ragged }),
    decoupled: config.model_transaction_policy?.decoupled ?? false,
  };
}

type ConfigTensor = ModelConfig['input'][number] | ModelConfig['output'][number];

function compileTensor(
  model: string,
  tensor: ConfigTensor,
): Pick<TensorSpec, 'name' | 'datatype' | 'dims' | 'modelDims'> {
  const datatype = dataTypeOfConfig(tensor.data_type);
  if (datatype === undefined) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `tensor '${tensor.name}' of model '${model}' has no known data type: ${tensor.data_type}`,
    );
  }
  return { name: tensor.name, datatype, dims: tensor.dims, modelDims: tensor.reshape?.shape ?? tensor.dims };
}
