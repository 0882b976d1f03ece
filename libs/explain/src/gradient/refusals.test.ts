import { ShoalError } from '@shoal/core';

import { elementType } from '../onnx/onnx-model';
import { buildModel, type ModelText } from '../testing/build-model';
import { embedding, lastConvolution } from './layers';
import { gradientTwin, type TwinOptions } from './twin';

const simple: ModelText = {
  inputs: { x: ['N', 4], k: ['N'] },
  types: { k: elementType.int64, l: elementType.int64 },
  constants: { w: { dims: [4, 3], values: Array.from({ length: 12 }, (_, at) => at / 7) } },
  nodes: [
    ['MatMul', ['x', 'w'], ['s']],
    ['Softmax', ['s'], ['y']],
    ['ArgMax', ['y'], ['l'], { axis: 1 }],
  ],
  outputs: ['l', 'y'],
};

const refused = (text: ModelText, options?: TwinOptions): ShoalError => {
  try {
    gradientTwin(buildModel(text), options);
  } catch (thrown) {
    if (thrown instanceof ShoalError) return thrown;
    throw thrown;
  }
  throw new Error('it was not refused');
};
const sentence = (text: ModelText, options?: TwinOptions): string => {
  const { code, message } = refused(text, options);
  return `${code}: ${message}`;
};

test('explains the first output that has a gradient, and says which', () => {
  const twin = gradientTwin(buildModel(simple));
  expect([twin.output, twin.gradients, twin.weightsType]).toEqual(['y', ['x'], elementType.float]);
});

test.each<[string, TwinOptions, string]>([
  [
    'an output of labels',
    { output: 'l' },
    "INVALID_ARGUMENT: output 'l' of the model has no gradient by 'x': it does not depend on it, or changes in jumps alone",
  ],
  ['no such output', { output: 'z' }, "INVALID_ARGUMENT: the model has no output 'z'"],
  ['no such input', { inputs: ['z'] }, "INVALID_ARGUMENT: the model has no input 'z' to differentiate by"],
  [
    'an integer input',
    { inputs: ['k'] },
    "INVALID_ARGUMENT: input 'k' of the model is not of a floating-point type: it has no gradient",
  ],
  ['no such tensor', { at: ['z'] }, "INVALID_ARGUMENT: the model has no inner tensor 'z'"],
  ['nothing to feed', { feed: 'x' }, "INVALID_ARGUMENT: the model has no inner tensor 'x' to be fed"],
  [
    'a tensor behind the output',
    { at: ['l'], output: 'y' },
    "INVALID_ARGUMENT: output 'y' of the model has no gradient by 'l': it does not depend on it, or changes in jumps alone",
  ],
])('refuses %s', (_name, options, want) => {
  expect(sentence(simple, options)).toBe(want);
});

test('a twin has no twin', () => {
  const twin = gradientTwin(buildModel(simple));
  expect(() => gradientTwin(twin.model)).toThrow('the model is a gradient twin already');
});

const through = (op: string, inputs: readonly string[], attributes = {}): ModelText => ({
  inputs: { x: ['N', 2, 4, 4] },
  constants: { w: { dims: [1, 2, 2, 2], values: new Array(8).fill(0.5) }, s: { dims: [4], values: [1, 1, 2, 2] } },
  nodes: [[op, inputs, ['y'], attributes]],
  outputs: ['y'],
});

test.each<[ModelText, RegExp]>([
  [
    through('Det', ['x']),
    /^UNIMPLEMENTED: operator Det \(node 'n0'\) cannot be differentiated: it has no rule; use a method that/,
  ],
  [through('com.acme:Mystery', ['x']), /operator com\.acme\.Mystery \(node 'n0'\)/],
  [through('constructor', ['x']), /operator constructor .* has no rule/],
  [through('MaxPool', ['x'], { kernel_shape: [2, 2], storage_order: 1 }), /operator MaxPool .* storage_order 1/],
  [through('AveragePool', ['x'], { kernel_shape: [2, 2], ceil_mode: 1 }), /ceil_mode 1/],
  [through('Conv', ['x', 'w'], { strides: [1] }), /kernel_shape, strides, dilations and pads do not fit/],
  [through('Conv', ['w', 'x']), /its input 1 depends on what is explained/],
  [through('Resize', ['x', '', 's'], { mode: 'linear' }), /mode linear/],
  [through('DepthToSpace', ['x'], { blocksize: 2, mode: 'CRD' }), /mode CRD/],
  [through('Einsum', ['x', 'w'], { equation: 'nchw,ochw->no' }), /^$/],
  [through('Einsum', ['x'], { equation: 'nchw->n' }), /sums over an index of one factor alone/],
  [through('Einsum', ['x'], { equation: 'ncii->nc' }), /a repeated index/],
  [through('BatchNormalization', ['x', 's', 's', 's', 's'], { training_mode: 1 }), /training mode/],
])('an operator that has no rule for this, %#', (text, want) => {
  const answer = /^\^\$/.test(want.source) ? sentenceOr(text) : sentence(text);
  expect(answer).toMatch(want);
});

function sentenceOr(text: ModelText): string {
  gradientTwin(buildModel(text));
  return '';
}

test('an operator without a rule beside the path is nobody’s concern', () => {
  const twin = gradientTwin(
    buildModel({
      inputs: { x: ['N', 2, 2] },
      nodes: [
        ['Det', ['x'], ['d']],
        ['Relu', ['x'], ['y']],
      ],
      outputs: ['d', 'y'],
    }),
    { output: 'y' },
  );
  expect(twin.gradients).toEqual(['x']);
});

test('an input from which nothing reaches the output is left out, unless it was named', () => {
  const two: ModelText = {
    inputs: { x: ['N', 2], z: ['N', 2] },
    nodes: [
      ['Relu', ['x'], ['y']],
      ['Relu', ['z'], ['v']],
    ],
    outputs: ['y', 'v'],
  };
  expect(gradientTwin(buildModel(two)).gradients).toEqual(['x']);
  expect(gradientTwin(buildModel(two), { output: 'v' }).gradients).toEqual(['z']);
  expect(sentence(two, { inputs: ['z'], output: 'y' })).toMatch(/output 'y' of the model has no gradient/);
  expect(sentence(two, { inputs: ['x', 'z'], output: 'y' })).toMatch(/no gradient passes from 'z' to output 'y'/);
});

test('where there is no convolution and no embedding, none is found', () => {
  expect(lastConvolution(buildModel(simple))).toBeUndefined();
  expect(embedding(buildModel(simple), 'k')).toBeUndefined();
});

test('embeddings are found in tables that are stored, made by nodes, or unpacked from eight bits; not elsewhere', () => {
  const types = { ids: elementType.int64 };
  const inputs = { ids: ['N', 'T'], x: [4, 2] };
  const table = { dims: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8], type: elementType.int32 };
  const find = (...nodes: ModelText['nodes']): string | undefined =>
    embedding(buildModel({ inputs, types, constants: { table }, nodes, outputs: ['e'] }), 'ids');
  const unpack = ['Cast', ['table'], ['w'], { to: 1 }] as const;
  expect(find(unpack, ['Gather', ['w', 'ids'], ['e']])).toBe('e');
  expect(find(unpack, ['Identity', ['ids'], ['i']], ['Gather', ['w', 'i'], ['e']])).toBe('e');
  expect(find(unpack, ['Gather', ['w', 'ids'], ['e'], { axis: 1 }])).toBeUndefined();
  expect(find(['Gather', ['table', 'ids'], ['e']])).toBeUndefined();
  expect(find(['Gather', ['x', 'ids'], ['e']])).toBeUndefined();
});
