import { ShoalError } from '@shoal/core';
import type { ModelConfig } from '@shoal/protocol';
import { completeConfig, type CompleteOptions } from './complete';
import type { OnnxModelInfo, OnnxTensorInfo } from './onnx-model-info';
import { parseModelConfig } from './parse-config';
import { parseModelConfigJson } from './parse-config-json';

const tensor = (
  name: string,
  shape: (number | string)[],
  datatype: OnnxTensorInfo['datatype'] = 'FP32',
): OnnxTensorInfo => ({
  name,
  datatype,
  shape,
});
const batchable: OnnxModelInfo = {
  inputs: [tensor('x', ['N', 4]), tensor('ids', ['N', 'T'], 'INT64')],
  outputs: [tensor('y', ['N', 3]), tensor('text', [-1, 1], 'BYTES'), tensor('label', ['N'], 'INT64')],
};
const fixed: OnnxModelInfo = { inputs: [tensor('x', [1, 4])], outputs: [tensor('y', [1, 4])] };

const complete = (text: string, info: OnnxModelInfo, options?: CompleteOptions): ModelConfig =>
  completeConfig('m', parseModelConfig(text, 'm/config.pbtxt'), info, options).config;

function refusal(text: string, info: OnnxModelInfo, options?: CompleteOptions): string {
  try {
    complete(text, info, options);
  } catch (error) {
    if (!(error instanceof ShoalError) || error.code !== 'INVALID_ARGUMENT') throw error;
    return error.message;
  }
  throw new Error('was accepted');
}

describe('auto-completion', () => {
  test('no config at all: a model that can batch', () => {
    const { config, warnings } = completeConfig('m', undefined, batchable);
    expect(config).toMatchObject({
      name: 'm',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      default_model_filename: 'model.onnx',
      max_batch_size: 4,
      scheduling_choice: 'dynamic_batching',
      dynamic_batching: { preferred_batch_size: [4], max_queue_delay_microseconds: 0 },
      version_policy: { latest: { num_versions: 1 }, policy_choice: 'latest' },
      instance_group: [{ name: 'm_0', kind: 'KIND_CPU', count: 1, gpus: [] }],
      optimization: { input_pinned_memory: { enable: true }, output_pinned_memory: { enable: true } },
      input: [
        { name: 'x', data_type: 'TYPE_FP32', dims: [4], reshape: null, optional: false },
        { name: 'ids', data_type: 'TYPE_INT64', dims: [-1], reshape: null },
      ],
      output: [
        { name: 'y', data_type: 'TYPE_FP32', dims: [3], reshape: null, label_filename: '' },
        { name: 'text', data_type: 'TYPE_STRING', dims: [1], reshape: null },
        { name: 'label', data_type: 'TYPE_INT64', dims: [1], reshape: { shape: [] } },
      ],
    });
    expect(warnings).toEqual([expect.stringContaining('autofilled max_batch_size to 4')]);
  });

  test('a model that cannot batch', () => {
    const { config, warnings } = completeConfig('m', undefined, { ...fixed, outputs: [tensor('total', [])] });
    expect(config.max_batch_size).toBe(0);
    expect(config.dynamic_batching ?? null).toBeNull();
    expect(config.input[0]?.dims).toEqual([1, 4]);
    expect(config.output[0]).toMatchObject({ dims: [1], reshape: { shape: [] } });
    expect(warnings).toEqual([]);
  });

  test('an override of the maximum alone, given as a string', () => {
    const { config } = completeConfig('m', parseModelConfigJson('{"max_batch_size":"16"}'), batchable);
    expect(config.max_batch_size).toBe(16);
    expect(config.dynamic_batching?.preferred_batch_size).toEqual([16]);
    expect(config.input.map(({ name }) => name)).toEqual(['x', 'ids']);
  });

  test('the default maximum is a setting: 0 leaves batching off, 1 needs no batcher', () => {
    for (const defaultMaxBatchSize of [0, 1]) {
      const config = complete(
        '',
        defaultMaxBatchSize === 0 ? { inputs: [tensor('x', ['N'])], outputs: [] } : batchable,
        {
          defaultMaxBatchSize,
        },
      );
      expect(config.max_batch_size).toBe(defaultMaxBatchSize);
      expect(config.dynamic_batching ?? null).toBeNull();
    }
  });

  test('a config with inputs and outputs is taken at its word: no batcher, no maximum', () => {
    const config = complete('input { name: "x" } input { name: "ids" } output { name: "y" }', batchable);
    expect(config.max_batch_size).toBe(0);
    expect(config.dynamic_batching ?? null).toBeNull();
    expect(config.input.map(({ dims }) => dims)).toEqual([
      [-1, 4],
      [-1, -1],
    ]);
  });

  test('what is missing of an input comes from the model, what is there stays', () => {
    const config = complete(
      'max_batch_size: 8 input { name: "ids" dims: [ 7 ] } input { name: "x" data_type: TYPE_FP32 } output { name: "label" }',
      batchable,
    );
    expect(config.input).toMatchObject([
      { name: 'ids', data_type: 'TYPE_INT64', dims: [7] },
      { name: 'x', data_type: 'TYPE_FP32', dims: [4] },
    ]);
    expect(config.output).toMatchObject([
      { name: 'label', data_type: 'TYPE_INT64', dims: [1], reshape: { shape: [] } },
    ]);
  });

  test('a scalar of a model without batching may be described by one element', () => {
    const info = { inputs: [tensor('x', [2])], outputs: [tensor('y', [])] };
    const config = complete('input { name: "x" } output { name: "y" data_type: TYPE_FP32 dims: [ 1 ] }', info);
    expect(config.output[0]).toMatchObject({ dims: [1], reshape: { shape: [] } });
  });

  test('an optional input that is an initializer is left out, with a warning', () => {
    const { config, warnings } = completeConfig(
      'm',
      parseModelConfig('input [ { name: "x" }, { name: "scale" data_type: TYPE_FP32 dims: 1 optional: true } ]', 'm'),
      fixed,
    );
    expect(config.input.map(({ name }) => name)).toEqual(['x']);
    expect(warnings).toEqual([expect.stringContaining("optional input 'scale' of model 'm' is left out")]);
  });

  test('instance groups: names, counts and kinds', () => {
    const text =
      'instance_group [ {}, { count: 3 kind: KIND_CPU name: "mine" }, { gpus: 1 }, { gpus: 9 }, { kind: KIND_GPU } ]';
    const groups = (options: CompleteOptions): unknown[] =>
      complete(text, fixed, options).instance_group.map(({ name, count, kind, gpus }) => [name, count, kind, gpus]);
    expect(groups({ gpus: [0, 1] })).toEqual([
      ['m_0', 1, 'KIND_GPU', [0, 1]],
      ['mine', 3, 'KIND_CPU', []],
      ['m_2', 1, 'KIND_GPU', [1]],
      ['m_3', 1, 'KIND_CPU', []],
      ['m_4', 1, 'KIND_GPU', [0, 1]],
    ]);
    expect(groups({ defaultInstanceCount: 2 })).toEqual([
      ['m_0', 2, 'KIND_CPU', []],
      ['mine', 3, 'KIND_CPU', []],
      ['m_2', 2, 'KIND_CPU', []],
      ['m_3', 2, 'KIND_CPU', []],
      ['m_4', 2, 'KIND_GPU', []],
    ]);
  });

  test('the given config is not changed, and a completed one completes to itself', () => {
    const given = parseModelConfig(
      'parameters { key: "__proto__" value { string_value: "x" } } dynamic_batching {}',
      'm',
    );
    const before = structuredClone(given);
    const { config } = completeConfig('m', given, batchable);
    expect(given).toEqual(before);
    expect(Object.keys(config.parameters)).toEqual(['__proto__']);
    expect(completeConfig('m', config, batchable).config).toEqual(config);
  });
});

describe('checks against the model', () => {
  const io = (x: string, y = '', head = 'max_batch_size: 8'): string =>
    `${head} input { name: "x" ${x} } input { name: "ids" } output { name: "y" ${y} }`;

  test.each<[string, string, OnnxModelInfo, string]>([
    [
      'a fixed first dimension, nothing else given',
      'max_batch_size: 8',
      fixed,
      "autofill failed for model 'm': model does not support batching while non-zero max_batch_size is specified (the first " +
        "dimension of 'x' is not variable: its shape is [1,4])",
    ],
    [
      'a fixed first dimension, all given',
      'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 4 } output { name: "y" data_type: TYPE_FP32 dims: 4 }',
      fixed,
      "model 'm', tensor 'x': for the model to support batching the shape should have at least 1 dimension and the first " +
        'dimension must be -1; but shape expected by the model is [1,4]',
    ],
    [
      'an input that the model does not have',
      'max_batch_size: 8 input { name: "zzz" data_type: TYPE_FP32 dims: 4 } output { name: "y" }',
      batchable,
      "unexpected inference input 'zzz', allowed inputs are: ids, x",
    ],
    [
      'an output that the model does not have',
      'max_batch_size: 8 output { name: "zzz" data_type: TYPE_FP32 dims: 4 }',
      batchable,
      "unexpected inference output 'zzz', allowed outputs are: label, text, y",
    ],
    [
      'an input too few',
      'max_batch_size: 8 input { name: "x" } output { name: "y" }',
      batchable,
      "unable to load model 'm', configuration expects 1 inputs, model provides 2 (required by the model but not by the " +
        "configuration: 'ids')",
    ],
    [
      'another data type',
      io('data_type: TYPE_INT64'),
      batchable,
      "unable to load model 'm', configuration expects datatype TYPE_INT64 for input 'x', model provides TYPE_FP32",
    ],
    [
      'other dims',
      io('dims: 5'),
      batchable,
      "model 'm', tensor 'x': the model expects 2 dimensions (shape [-1,4]) but the model configuration specifies 2 " +
        'dimensions (an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making ' +
        'complete shape [-1,5])',
    ],
    [
      'other dims without batching',
      io('dims: [ -1, 4, 1 ]', '', ''),
      batchable,
      "model 'm', tensor 'x': the model expects 2 dimensions (shape [-1,4]) but the model configuration specifies 3 " +
        'dimensions (shape [-1,4,1])',
    ],
    [
      'variable where the model is fixed',
      io('dims: -1'),
      batchable,
      "model 'm', tensor 'x': the model expects 2 dimensions (shape [-1,4]) but the model configuration specifies 2 " +
        'dimensions (an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making ' +
        'complete shape [-1,-1])',
    ],
    [
      'another output',
      io('', 'data_type: TYPE_STRING'),
      batchable,
      "unable to load model 'm', configuration expects datatype TYPE_STRING for output 'y', model provides TYPE_FP32",
    ],
    [
      'an optional input of a batching model',
      io('optional: true'),
      batchable,
      "unable to load model 'm', optional input 'x' is not supported for models that support batching",
    ],
    [
      'an input that is optional in the config alone',
      'input { name: "x" optional: true } output { name: "y" }',
      fixed,
      "unable to load model 'm', configuration expects 0 inputs, model provides 1 (required by the model but not by the " +
        "configuration: 'x')",
    ],
    [
      'a type that cannot be served, to be completed',
      '',
      { inputs: [tensor('x', [1])], outputs: [tensor('map', [], 'unsupported:sequence or map')] },
      "unsupported data type 'sequence or map' of 'map': it cannot be served; list the outputs to serve in the model " +
        'configuration to leave it out',
    ],
    [
      'a type that cannot be served, configured',
      'input { name: "x" data_type: TYPE_FP32 dims: 1 } output { name: "y" }',
      { inputs: [tensor('x', [1], 'unsupported:uint4')], outputs: [tensor('y', [1])] },
      "unable to load model 'm', unsupported data type 'uint4' for input 'x' of the model",
    ],
    [
      'preferred sizes over a maximum that came from the model',
      'dynamic_batching { preferred_batch_size: [ 2, 6 ] }',
      batchable,
      'dynamic batching preferred size must be <= max batch size for m',
    ],
    [
      'another name',
      'name: "other"',
      batchable,
      "unexpected directory name 'm' for model 'other', directory name must equal model name",
    ],
  ])('%s', (_, text, info, message) => {
    expect(refusal(text, info)).toBe(message);
  });

  test('a GPU that is not there', () => {
    expect(refusal('instance_group { kind: KIND_GPU gpus: [ 0, 7 ] }', fixed, { gpus: [0, 1] })).toBe(
      'instance group m_0 of model m specifies invalid or unsupported gpu id 7. Available GPUs are: 0, 1',
    );
  });

  test('outputs may be left out, even those that cannot be served', () => {
    const info = {
      inputs: fixed.inputs,
      outputs: [...fixed.outputs, tensor('map', [], 'unsupported:sequence or map')],
    };
    expect(complete('output { name: "y" }', info).output.map(({ name }) => name)).toEqual(['y']);
  });
});

describe('ragged batches', () => {
  const info: OnnxModelInfo = {
    inputs: [tensor('x', ['elements']), tensor('n', ['requests'], 'INT32'), tensor('shape', ['items', 1])],
    outputs: [tensor('y', ['requests', 1]), tensor('z', ['elements'])],
  };
  const io = `max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: -1 allow_ragged_batch: true }
    output { name: "y" data_type: TYPE_FP32 dims: 1 }`;
  const count = 'kind: BATCH_ELEMENT_COUNT target_name: "n" data_type: TYPE_INT32 source_input: "x"';
  const itemShape = 'kind: BATCH_ITEM_SHAPE target_name: "shape" data_type: TYPE_FP32 source_input: "x"';

  test('are taken when the model has what they need', () => {
    const scattered =
      'output { name: "z" data_type: TYPE_FP32 dims: -1 } batch_output { target_name: "z" source_input: "x" }';
    const text = `${io} batch_input { ${count} } batch_input { ${itemShape} } ${scattered}`;
    const { batch_input: inputs } = complete(text, info);
    expect(inputs.map(({ kind }) => kind)).toEqual(['BATCH_ELEMENT_COUNT', 'BATCH_ITEM_SHAPE']);
  });

  test.each([
    [
      'an input that nobody gives',
      `batch_input { ${count} }`,
      "unable to load model 'm', configuration expects 1 inputs, model provides 3 (required by the model but not by the configuration: 'shape')",
    ],
    [
      'a target that the model does not have',
      `batch_input { ${count} } batch_input { ${itemShape} target_name: "other" }`,
      "unable to load model 'm', the model has no input 'other' for batch input kind 'BATCH_ITEM_SHAPE'",
    ],
    [
      'another data type',
      `batch_input { ${count.replace('INT32', 'FP32')} } batch_input { ${itemShape} }`,
      "unable to load model 'm', configuration expects datatype TYPE_FP32 for batch input 'n', model provides TYPE_INT32",
    ],
    [
      'another rank',
      `batch_input { ${count} } batch_input { ${itemShape.replace('ITEM_SHAPE', 'ITEM_SHAPE_FLATTEN')} }`,
      "unable to load model 'm', batch input 'shape' of kind 'BATCH_ITEM_SHAPE_FLATTEN' has 1 dimension, the first of them variable, model provides [-1,1]",
    ],
    [
      'no source',
      'batch_input { kind: BATCH_ELEMENT_COUNT target_name: "n" data_type: TYPE_INT32 }',
      "batch input kind 'BATCH_ELEMENT_COUNT' expects 1 source input, got 0",
    ],
    ['an unknown source', `batch_input { ${count.replace('"x"', '"w"')} }`, "unknown source input name 'w'"],
    [
      'a data type that is none',
      `batch_input { ${count.replace('INT32', 'INT64')} }`,
      'batch input data type must be TYPE_INT32 or TYPE_FP32',
    ],
    [
      'a target twice',
      `batch_input { ${count} } batch_input { ${count} }`,
      "batch input 'n' is specified more than once for m",
    ],
    ['an unknown output', 'batch_output { target_name: "w" source_input: "x" }', "unknown target output name 'w'"],
    [
      'an output twice',
      'batch_output { target_name: [ "y", "y" ] source_input: "x" }',
      "target output name 'y' can only be specified once",
    ],
    [
      'an output without a source',
      'batch_output { target_name: "y" }',
      "batch output kind 'BATCH_SCATTER_WITH_INPUT_SHAPE' expects 1 source input, got 0",
    ],
  ])('%s', (_, text, reason) => {
    expect(refusal(`${io} ${text}`, info)).toBe(reason);
  });

  test('an input that is ragged is one row of elements for the model', () => {
    const batched = { ...info, inputs: [tensor('x', ['N', 'T'])] };
    expect(refusal(io, batched)).toBe(
      "unable to load model 'm', configuration expects model provides input with shape [-1] for ragged input 'x', model provides [-1,-1]",
    );
  });
});
