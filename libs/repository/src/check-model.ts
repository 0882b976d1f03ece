import type { ModelConfig } from '@shoal/protocol';
import { configDataType } from './data-type-names';
import { numericShape, type OnnxModelInfo, type OnnxTensorInfo } from './onnx-model-info';
import { invalid } from './refuse';
import { shapeText } from './shape-text';

type Tensor = ModelConfig['input'][number] | ModelConfig['output'][number];

/**
 * Checks a completed config against what the model itself declares, in the words of Triton's ONNX Runtime backend: every
 * input of the model must be configured, outputs may be left out, data types and shapes must agree.
 */
export function checkAgainstModel(config: ModelConfig, info: OnnxModelInfo): void {
  for (const input of config.input) {
    if (input.optional && config.max_batch_size > 0)
      throw unable(config, `optional input '${input.name}' is not supported for models that support batching`);
  }
  checkKind(config, 'input', info.inputs);
  checkInputCount(config, info.inputs);
  checkKind(config, 'output', info.outputs);
}

function checkKind(config: ModelConfig, kind: 'input' | 'output', known: readonly OnnxTensorInfo[]): void {
  for (const tensor of config[kind]) {
    const found = known.find(({ name }) => name === tensor.name);
    if (found === undefined) {
      const names = known.map(({ name }) => name).sort();
      throw invalid(`unexpected inference ${kind} '${tensor.name}', allowed ${kind}s are: ${names.join(', ')}`);
    }
    checkDataType(config, kind, tensor, found);
    checkDims(config, tensor, numericShape(found));
  }
}

/** An input that the model needs must come with every request. */
function checkInputCount(config: ModelConfig, known: readonly OnnxTensorInfo[]): void {
  const required = new Set(config.input.filter(({ optional }) => !optional).map(({ name }) => name));
  const missing = known.filter(({ name }) => !required.has(name)).map(({ name }) => `'${name}'`);
  if (missing.length > 0)
    throw unable(
      config,
      `configuration expects ${required.size} inputs, model provides ${known.length} (required by the model but not ` +
        `by the configuration: ${missing.join(', ')})`,
    );
}

function checkDataType(config: ModelConfig, kind: string, tensor: Tensor, found: OnnxTensorInfo): void {
  const { datatype } = found;
  if (datatype.startsWith('unsupported:'))
    throw unable(
      config,
      `unsupported data type '${datatype.slice('unsupported:'.length)}' for ${kind} '${tensor.name}' of the model`,
    );
  const provided = configDataType(datatype as Exclude<typeof datatype, `unsupported:${string}`>);
  if (provided !== tensor.data_type)
    throw unable(
      config,
      `configuration expects datatype ${tensor.data_type} for ${kind} '${tensor.name}', model provides ${provided}`,
    );
}

function checkDims(config: ModelConfig, tensor: Tensor, shape: readonly number[]): void {
  const dims = tensor.reshape === null ? tensor.dims : tensor.reshape.shape;
  const who = `model '${config.name}', tensor '${tensor.name}'`;
  if (config.max_batch_size > 0) {
    if (shape[0] !== -1)
      throw invalid(
        `${who}: for the model to support batching the shape should have at least 1 dimension and the first dimension ` +
          `must be -1; but shape expected by the model is ${shapeText(shape)}`,
      );
    const full = [-1, ...dims];
    if (!agree(shape, full))
      throw invalid(
        `${expects(who, shape)} but the model configuration specifies ${full.length} dimensions (an initial batch ` +
          'dimension because max_batch_size > 0 followed by the explicit tensor shape, making complete shape ' +
          `${shapeText(full)})`,
      );
  } else if (!agree(shape, dims)) {
    throw invalid(
      `${expects(who, shape)} but the model configuration specifies ${dims.length} dimensions (shape ${shapeText(dims)})`,
    );
  }
}

function expects(who: string, shape: readonly number[]): string {
  return `${who}: the model expects ${shape.length} dimensions (shape ${shapeText(shape)})`;
}

/** A dimension that the model fixes must be the config's; one that it leaves open takes any. */
function agree(shape: readonly number[], dims: readonly number[]): boolean {
  return shape.length === dims.length && shape.every((dim, index) => dim === -1 || dim === dims[index]);
}

function unable(config: ModelConfig, what: string): Error {
  return invalid(`unable to load model '${config.name}', ${what}`);
}
