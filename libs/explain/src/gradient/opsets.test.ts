import { seededRandom } from '@shoal/core';

import { elementType } from '../onnx/onnx-model';
import { readOnnx } from '../onnx/read-onnx';
import { buildModel, int64, type ModelText, type NodeText } from '../testing/build-model';
import { gradientError } from '../testing/check-gradient';
import { floats, oneHot, runOnce } from '../testing/run-model';
import { gradientTwin } from './twin';

const float = (value: number): { float: number } => ({ float: value });

/** Nodes in the forms that old versions had, with the versions that had them. */
const old: readonly (readonly [string, readonly number[], readonly NodeText[]])[] = [
  ['Softmax over what follows an axis', [9, 11, 12], [['Softmax', ['x'], ['y'], { axis: 1 }]]],
  ['LogSoftmax, axis left out', [9, 12], [['LogSoftmax', ['x'], ['y']]]],
  ['Softmax of the last axis', [11, 12, 13, 15], [['Softmax', ['x'], ['y'], { axis: -1 }]]],
  [
    'Squeeze and Unsqueeze by attributes',
    [9, 12],
    [
      ['Unsqueeze', ['x'], ['u'], { axes: [0, 2] }],
      ['Squeeze', ['u'], ['s'], { axes: [2] }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  [
    'ReduceSum by attribute',
    [9, 12],
    [
      ['ReduceSum', ['x'], ['s'], { axes: [2], keepdims: 0 }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  [
    'ReduceMean by attribute',
    [9, 13, 17],
    [
      ['ReduceMean', ['x'], ['s'], { axes: [1, 2], keepdims: 0 }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  ['Clip by attributes', [9, 10], [['Clip', ['x'], ['y'], { min: float(-1.05), max: float(0.95) }]]],
  [
    'Slice by attributes',
    [9],
    [
      ['Slice', ['x'], ['s'], { starts: [1, -2], ends: [3, 2 ** 62], axes: [1, 2] }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  [
    'Pad by attributes',
    [9, 10],
    [
      ['Pad', ['x'], ['s'], { pads: [0, 1, 0, 0, 0, 2], value: float(1) }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  [
    'Split by attribute',
    [9, 12],
    [
      ['Split', ['x'], ['s', 't'], { axis: 2, split: [1, 3] }],
      ['Mul', ['t', 's'], ['y']],
    ],
  ],
  [
    'Dropout',
    [9, 10, 11],
    [
      ['Dropout', ['x'], ['s'], { ratio: float(0.3) }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  ['BatchNormalization', [9, 13], [['BatchNormalization', ['x', 'g', 'g', 'g', 'v'], ['y']]]],
  [
    'Upsample',
    [9],
    [
      ['Unsqueeze', ['x'], ['u'], { axes: [0] }],
      ['Upsample', ['u', 'f'], ['s'], { mode: 'nearest' }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  [
    'Resize',
    [10],
    [
      ['Unsqueeze', ['x'], ['u'], { axes: [0] }],
      ['Resize', ['u', 'f'], ['s'], { mode: 'nearest' }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  [
    'TopK',
    [9],
    [
      ['TopK', ['x'], ['s', 'i'], { k: 2, axis: 2 }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  [
    'a normalization made of parts',
    [9, 12, 13, 17],
    [
      ['ReduceMean', ['x'], ['m'], { axes: [2] }],
      ['Sub', ['x', 'm'], ['c']],
      ['Mul', ['c', 'c'], ['q']],
      ['ReduceMean', ['q'], ['w'], { axes: [2] }],
      ['Sqrt', ['w'], ['d']],
      ['Div', ['c', 'd'], ['y']],
    ],
  ],
  // Newer forms.
  [
    'ReduceMean by input',
    [18, 21],
    [
      ['ReduceMean', ['x', 'last'], ['s'], { keepdims: 0 }],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
  ['ReduceMax by input', [18, 20], [['ReduceMax', ['x', 'last'], ['y']]]],
  [
    'Split into equal parts',
    [18, 21],
    [
      ['Split', ['x'], ['s', 't'], { axis: 2, num_outputs: 2 }],
      ['Mul', ['t', 's'], ['y']],
    ],
  ],
  ['Gelu', [20, 21], [['Gelu', ['x'], ['y']]]],
  ['Gelu by tanh', [20, 21], [['Gelu', ['x'], ['y'], { approximate: 'tanh' }]]],
  ['Mish', [18, 21], [['Mish', ['x'], ['y']]]],
  ['LayerNormalization', [17, 18, 21], [['LayerNormalization', ['x', 'k', 'k'], ['y']]]],
  [
    'Pad along named axes',
    [18, 21],
    [
      ['Pad', ['x', 'amounts', '', 'last'], ['s']],
      ['Mul', ['s', 's'], ['y']],
    ],
  ],
];

const cases = old.flatMap(([name, opsets, nodes]) => opsets.map((opset) => [name, opset, nodes] as const));

test.each(cases)('%s in opset %d', async (_name, opset, nodes) => {
  const used = new Set(nodes.flatMap(([, inputs]) => inputs));
  const all = {
    g: { dims: [3], values: [0.5, 1, 2] },
    v: { dims: [3], values: [0.5, 1, 2] },
    k: { dims: [4], values: [0.5, 1, -2, 1] },
    f: { dims: [4], values: [1, 1, 2, 3] },
    last: int64(2),
    amounts: int64(1, 2),
  };
  const constants = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
  const one = { name: '', opset, inputs: { x: ['N', 3, 4] }, constants, nodes, outputs: ['y'] };
  expect(await gradientError(one, seededRandom(3))).toBeLessThan(2e-3);
});

test('what cannot be brought to a newer opset, and opsets that are not known, are refused', () => {
  const model = (opset: number): Uint8Array =>
    buildModel({ opset, inputs: { x: ['N', 2] }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] });
  expect(() => gradientTwin(model(8))).toThrow('gradients know opset 9 to 24, the model has opset 8');
  expect(() => gradientTwin(model(99))).toThrow('gradients know opset 9 to 24, the model has opset 99');
});

test('integers beside the path are left as they are', async () => {
  const twin = gradientTwin(
    buildModel({
      opset: 11,
      inputs: { x: [2, 2], k: [2] },
      types: { k: elementType.int64, z: elementType.int64 },
      nodes: [
        ['Relu', ['x'], ['y']],
        ['Unsqueeze', ['k'], ['z'], { axes: [0] }],
      ],
      outputs: ['y', 'z'],
    }),
  );
  const answer = await runOnce(twin.model, {
    x: { dims: [2, 2], data: Float32Array.of(1, -1, 2, -2) },
    k: { dims: [2], data: BigInt64Array.of(5n, 6n) },
    'shoal.output_weights': { dims: [2, 2], data: Float32Array.of(1, 1, 3, 3) },
  });
  expect(Array.from(answer['shoal.gradient.x']?.data as Float32Array)).toEqual([1, 0, 3, 0]);
  expect(answer['z']?.dims).toEqual([1, 2]);
});

test('what an old file lists as an input and stores as well is no input of the twin', async () => {
  const model: ModelText = {
    opset: 9,
    irVersion: 3,
    inputs: { x: ['N', 2] },
    constants: { w: { dims: [2, 1], values: [3, 4] } },
    nodes: [['MatMul', ['x', 'w'], ['y']]],
    outputs: ['y'],
  };
  const twin = gradientTwin(buildModel(model));
  expect(readOnnx(twin.model).graph.inputs.map((input) => input.name)).toEqual(['x', 'shoal.output_weights']);
  const answer = await runOnce(twin.model, { x: floats([1, 2], [1, 1]), ...oneHot(1, 1, 0) });
  expect(Array.from(answer['shoal.gradient.x']?.data as Float32Array)).toEqual([3, 4]);
});
