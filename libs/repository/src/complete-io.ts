import type { ModelConfig } from '@shoal/protocol';
import { configDataType, type ConfigDataType } from './data-type-names';
import { withDefaults } from './model-config-type';
import { numericShape, type OnnxModelInfo, type OnnxTensorInfo } from './onnx-model-info';
import { invalid } from './refuse';

type Input = ModelConfig['input'][number];
type Output = ModelConfig['output'][number];

/** Adds the inputs or outputs that a config lacks altogether, and data types and dims where they are missing. */
export function completeTensors(config: ModelConfig, info: OnnxModelInfo): ModelConfig {
  const batched = config.max_batch_size > 0;
  const named = { input: info.inputs, output: info.outputs };
  const described = withDefaults({
    input: config.input.length > 0 ? [] : named.input.map((tensor) => describe(tensor, batched)),
    output: config.output.length > 0 ? [] : named.output.map((tensor) => describe(tensor, batched)),
  });
  return {
    ...config,
    input:
      config.input.length > 0 ? config.input.map((input) => complete(input, info.inputs, batched)) : described.input,
    output:
      config.output.length > 0
        ? config.output.map((output) => complete(output, info.outputs, batched))
        : described.output,
  };
}

/**
 * Drops optional inputs that are not inputs of the session: they are initializers that may be overridden, and ONNX Runtime
 * for Node.js silently ignores a value fed for one. So a request that sends one is refused instead of answered wrongly.
 */
export function withoutInitializers(config: ModelConfig, info: OnnxModelInfo, warnings: string[]): ModelConfig {
  const fed = new Set(info.inputs.map(({ name }) => name));
  const input = config.input.filter(({ name, optional }) => !optional || fed.has(name));
  for (const { name, optional } of config.input) {
    if (optional && !fed.has(name))
      warnings.push(
        `optional input '${name}' of model '${config.name}' is left out: ONNX Runtime for Node.js cannot override ` +
          'initializers, so requests that send it are refused',
      );
  }
  return { ...config, input };
}

interface Description {
  readonly name: string;
  readonly data_type: ConfigDataType;
  readonly dims: number[];
  readonly reshape?: { readonly shape: number[] };
}

/** A tensor as a config describes it: without the batch dimension; a scalar is one element, reshaped to none. */
function describe(tensor: OnnxTensorInfo, batched: boolean): Description {
  const { name, datatype } = tensor;
  if (datatype.startsWith('unsupported:'))
    throw invalid(
      `unsupported data type '${datatype.slice('unsupported:'.length)}' of '${name}': it cannot be served; list the ` +
        'outputs to serve in the model configuration to leave it out',
    );
  const data_type = configDataType(datatype as Exclude<typeof datatype, `unsupported:${string}`>);
  const dims = numericShape(tensor).slice(batched ? 1 : 0);
  return dims.length > 0 ? { name, data_type, dims } : { name, data_type, dims: [1], reshape: { shape: [] } };
}

/** Completes one tensor from the model's of the same name, if there is one (if not, the check that follows will say so). */
function complete<T extends Input | Output>(tensor: T, known: readonly OnnxTensorInfo[], batched: boolean): T {
  const found = known.find(({ name }) => name === tensor.name);
  if (found === undefined || found.datatype.startsWith('unsupported:')) return tensor;
  const described = describe(found, batched);
  const completed = { ...tensor };
  if (completed.data_type === 'TYPE_INVALID') completed.data_type = described.data_type;
  const scalar = described.reshape !== undefined && tensor.dims.every((dim) => dim === 1);
  if (completed.dims.length === 0) completed.dims = described.dims;
  if (completed.reshape === null && (tensor.dims.length === 0 || (scalar && !batched)))
    completed.reshape = described.reshape ?? null;
  return completed;
}
