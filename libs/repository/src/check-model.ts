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
  checkBatchInputs(config, info.inputs);
  checkInputCount(config, info.inputs);
  checkKind(config, 'output', info.outputs);
}

function checkKind(config: ModelConfig, kind: 'input' | 'output', known: readonly OnnxTensorInfo[]): void {
  const scattered = new Set(config.batch_output.flatMap(({ target_name: targets }) => targets));
  for (const tensor of config[kind]) {
    const found = known.find(({ name }) => name === tensor.name);
    if (found === undefined) {
      const names = known.map(({ name }) => name).sort();
      throw invalid(`unexpected inference ${kind} '${tensor.name}', allowed ${kind}s are: ${names.join(', ')}`);
    }
    checkDataType(config, kind, tensor, found);
    if ('allow_ragged_batch' in tensor && tensor.allow_ragged_batch) checkRagged(config, tensor.name, found);
    // What is cut by the shapes of an input has any shape itself.
    else if (kind === 'input' || !scattered.has(tensor.name)) checkDims(config, tensor, numericShape(found));
  }
}

/** Requests of different shapes are joined as one row of elements. */
function checkRagged(config: ModelConfig, name: string, found: OnnxTensorInfo): void {
  const shape = numericShape(found);
  if (shape.length !== 1 || shape[0] !== -1)
    throw unable(
      config,
      `configuration expects model provides input with shape [-1] for ragged input '${name}', model provides ${shapeText(shape)}`,
    );
}

/** What the server gives itself must be there to be given. */
function checkBatchInputs(config: ModelConfig, known: readonly OnnxTensorInfo[]): void {
  for (const { target_name: targets, data_type: type, kind } of config.batch_input) {
    for (const target of targets) {
      const found = known.find(({ name }) => name === target);
      if (found === undefined)
        throw unable(config, `the model has no input '${target}' for batch input kind '${kind}'`);
      checkDataType(config, 'batch input', { name: target, data_type: type }, found);
      const rank = kind === 'BATCH_ITEM_SHAPE' ? 2 : 1;
      const shape = numericShape(found);
      if (shape.length !== rank || shape[0] !== -1)
        throw unable(
          config,
          `batch input '${target}' of kind '${kind}' has ${rank} dimension${rank > 1 ? 's' : ''}, the first of them variable, model provides ${shapeText(shape)}`,
        );
    }
  }
}

/** An input that the model needs must come with every request. */
function checkInputCount(config: ModelConfig, known: readonly OnnxTensorInfo[]): void {
  const required = new Set(config.input.filter(({ optional }) => !optional).map(({ name }) => name));
  const own = new Set(config.batch_input.flatMap(({ target_name: targets }) => targets));
  const missing = known.filter(({ name }) => !required.has(name) && !own.has(name)).map(({ name }) => `'${name}'`);
  if (missing.length > 0)
    throw unable(
      config,
      `configuration expects ${required.size} inputs, model provides ${known.length} (required by the model but not ` +
        `by the configuration: ${missing.join(', ')})`,
    );
}

function checkDataType(
  config: ModelConfig,
  kind: string,
  tensor: Pick<Tensor, 'name' | 'data_type'>,
  found: OnnxTensorInfo,
): void {
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
