import type { ModelConfig } from '@shoal/protocol';

/**
 * What a well-formed config asks for that cannot be served (yet), in one sentence, or undefined. Such a model is known and
 * its versions are UNAVAILABLE with this reason.
 */
export function unsupportedReason(config: ModelConfig, model: string): string | undefined {
  if (config.ensemble_scheduling || config.platform === 'ensemble')
    return `ensembles are not supported yet (model '${model}')`;
  if (config.sequence_batching) return `sequence_batching is not supported yet (model '${model}')`;
  if (config.model_transaction_policy?.decoupled)
    return `the decoupled transaction policy is not supported yet (model '${model}')`;
  if (config.max_batch_size === 0 && (config.batch_input.length > 0 || config.batch_output.length > 0))
    return `batch_input and batch_output need a max_batch_size of 1 or more (model '${model}')`;
  if (config.max_batch_size === 0 && config.input.some((input) => input.allow_ragged_batch))
    return `allow_ragged_batch needs a max_batch_size of 1 or more (model '${model}')`;
  if ((config.model_operations?.op_library_filename.length ?? 0) > 0)
    return `custom operator libraries cannot be loaded by ONNX Runtime for Node.js (model '${model}')`;
  return unsupportedDataType(config, model);
}

/** BF16 tensors cannot be made by ONNX Runtime for Node.js; Triton's ONNX Runtime backend refuses them in these words. */
function unsupportedDataType(config: ModelConfig, model: string): string | undefined {
  for (const kind of ['input', 'output'] as const) {
    const tensor = config[kind].find(({ data_type }) => data_type === 'TYPE_BF16');
    if (tensor) return `unsupported datatype TYPE_BF16 for ${kind} '${tensor.name}' for model '${model}'`;
  }
  return undefined;
}
