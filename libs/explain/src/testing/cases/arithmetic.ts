import { elementType } from '../../onnx/onnx-model';
import { int64 } from '../build-model';
import { a, double, float, image, type Nameless, positive, ramp, scalar, withConstants, x } from './common';

const cases: Record<string, Nameless> = {
  'Pow 2': withConstants({ x }, { p: scalar(2) }, ['Pow', ['x', 'p'], ['y']]),
  'Pow 3 of an integer type': withConstants({ x }, { p: int64(3) }, ['Pow', ['x', 'p'], ['y']]),
  'Pow 1.5': positive(withConstants({ x }, { p: scalar(1.5) }, ['Pow', ['x', 'p'], ['y']])),
  'Pow of both': positive(withConstants({ x, p: [6] }, {}, ['Pow', ['x', 'p'], ['y']])),
  PRelu: positive(withConstants({ x }, { s: ramp(6) }, ['PRelu', ['x', 's'], ['y']])),
  'Clip both': withConstants({ x }, { l: scalar(-1), h: scalar(1) }, ['Clip', ['x', 'l', 'h'], ['y']]),
  'Clip above': withConstants({ x }, { h: scalar(1) }, ['Clip', ['x', '', 'h'], ['y']]),
  Where: withConstants(
    { x, z: [6] },
    { l: scalar(0.2) },
    ['Less', ['x', 'l'], ['c']],
    ['Where', ['c', 'x', 'z'], ['w']],
    ['Mul', ['w', 'w'], ['y']],
  ),
  'Cast to float and back': float(
    withConstants(
      { x },
      {},
      ['Cast', ['x'], ['d'], { to: double }],
      ['Exp', ['d'], ['e']],
      ['Cast', ['e'], ['y'], { to: 1 }],
    ),
  ),
  'the same tensor twice': withConstants({ x }, {}, ['Mul', ['x', 'x'], ['m']], ['Add', ['m', 'x'], ['y']]),
  Einsum: withConstants({ p: [2, 3], q: [3, 4] }, {}, ['Einsum', ['p', 'q'], ['y'], { equation: 'ij,jk->ki' }]),
  'ReduceSum of axes': withConstants(
    { x: a },
    { i: int64(0, 2) },
    ['ReduceSum', ['x', 'i'], ['c'], { keepdims: 0 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  'ReduceSum of none': withConstants(
    { x },
    { i: int64() },
    ['ReduceSum', ['x', 'i'], ['c'], { keepdims: 0, noop_with_empty_axes: 1 }],
    ['Mul', ['c', 'c'], ['y']],
  ),
  LayerNormalization: withConstants({ x: a }, { g: ramp(4), c: ramp(4) }, [
    'LayerNormalization',
    ['x', 'g', 'c'],
    ['y'],
  ]),
  'LayerNormalization of two axes': withConstants({ x: a }, { g: ramp(3, 4) }, [
    'LayerNormalization',
    ['x', 'g'],
    ['y'],
    { axis: 1, epsilon: { float: 0.01 } },
  ]),
  InstanceNormalization: float(
    withConstants({ x: image }, { g: ramp(2), c: ramp(2) }, ['InstanceNormalization', ['x', 'g', 'c'], ['y']]),
  ),
  BatchNormalization: withConstants(
    { x: image },
    { g: ramp(2), c: ramp(2), m: ramp(2), v: { dims: [2], values: [0.5, 2] } },
    ['BatchNormalization', ['x', 'g', 'c', 'm', 'v'], ['y']],
  ),
  LinearRegressor: float(
    withConstants({ x }, {}, [
      'ai.onnx.ml:LinearRegressor',
      ['x'],
      ['y'],
      { coefficients: { floats: ramp(12).values }, intercepts: { floats: [1, 2] }, targets: 2 },
    ]),
  ),
  GlobalAveragePool: float(
    withConstants({ x: image }, {}, ['GlobalAveragePool', ['x'], ['c']], ['Mul', ['c', 'c'], ['y']]),
  ),
  GlobalMaxPool: float(withConstants({ x: image }, {}, ['GlobalMaxPool', ['x'], ['c']], ['Mul', ['c', 'c'], ['y']])),
};

for (const op of ['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'Sum', 'Mean']) {
  for (const [left, right] of [
    [a, a],
    [a, [4]],
    [[3, 1], a],
    [a, [2, 1, 4]],
    [[], a],
    [
      ['N', 3, 1],
      [1, 4],
    ],
  ] as const)
    cases[`${op} of [${left.join()}] and [${right.join()}]`] = {
      type: op === 'Mean' ? elementType.float : double,
      range: [0.5, 2],
      inputs: { p: left, q: right },
      nodes: [[op, ['p', 'q'], ['y']]],
      outputs: ['y'],
    };
}

for (const post_transform of ['NONE', 'SOFTMAX', 'LOGISTIC'])
  cases[`LinearClassifier ${post_transform}`] = {
    inputs: { x },
    types: { l: elementType.int64 },
    nodes: [
      [
        'ai.onnx.ml:LinearClassifier',
        ['x'],
        ['l', 'y'],
        {
          classlabels_ints: [0, 1, 2],
          coefficients: { floats: ramp(18).values },
          intercepts: { floats: [0.1, 0.2, 0.3] },
          post_transform,
        },
      ],
    ],
    outputs: ['l', 'y'],
  };

for (const [left, right] of [
  [
    [2, 3],
    [3, 4],
  ],
  [
    [2, 2, 3],
    [3, 4],
  ],
  [
    [2, 3],
    [2, 3, 2],
  ],
  [
    [2, 1, 2, 3],
    [3, 3, 2],
  ],
  [[3], [3, 2]],
  [[2, 2, 3], [3]],
  [[3], [3]],
] as const)
  cases[`MatMul of [${left.join()}] and [${right.join()}]`] = withConstants({ p: left, q: right }, {}, [
    'MatMul',
    ['p', 'q'],
    ['y'],
  ]);

for (const transA of [0, 1])
  for (const transB of [0, 1])
    cases[`Gemm transA ${transA} transB ${transB}`] = withConstants(
      { p: transA ? [3, 2] : [2, 3], q: transB ? [4, 3] : [3, 4], r: [4] },
      {},
      ['Gemm', ['p', 'q', 'r'], ['y'], { transA, transB, alpha: { float: 0.5 }, beta: { float: 2 } }],
    );

/** Operators of several tensors, and those with parameters. */
export const arithmeticCases: Readonly<Record<string, Nameless>> = cases;
