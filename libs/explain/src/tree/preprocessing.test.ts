import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exact, type ShapleyResult } from '@shoal/explain';
import { seededRandom } from '@shoal/core';
import { expectClose } from '../../test/drive';
import { elementType } from '../onnx/onnx-model';
import { buildModel, int64, type ModelText, type NodeText } from '../testing/build-model';
import { type EnsembleText, legacyNode, type Tree } from '../testing/build-trees';
import { RunningModel, type Values } from '../testing/run-model';
import { interventionalSteps, interventionalTrees } from './interventional';
import { readTrees } from './read-trees';
import { evaluateTrees } from './tree-explainer';

const random = seededRandom(5);
const features = 5;

function tree(depth: number): Tree {
  if (depth === 0) return { weights: { 0: random.next() - 0.5 } };
  const feature = Math.floor(random.next() * features);
  // Near the values, so that rounding on the way decides.
  const threshold = Math.fround(Math.floor(random.next() * 8) / 4 - 1);
  return { feature, mode: 'leq', threshold, yes: tree(depth - 1), no: tree(depth - 1) };
}

const text: EnsembleText = { trees: Array.from({ length: 12 }, () => tree(4)), features, targets: 1, base: [0.25] };
const rows = Array.from({ length: 24 }, () =>
  Array.from({ length: features }, () => Math.floor(random.next() * 8) / 4 - 1),
);

/** The shape of an input of `elements` elements a row, or another one of as many. */
interface InputText {
  readonly elements: number;
  readonly dims?: readonly number[];
  readonly type?: number;
}

interface Case extends Pick<ModelText, 'constants'> {
  readonly inputs: Readonly<Record<string, InputText>>;
  /** From the inputs to `z`, at which the trees look. */
  readonly nodes: readonly NodeText[];
}

const plain = { x: { elements: features } };
const cases: Readonly<Record<string, Case>> = {
  'a column each': {
    inputs: Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, { elements: 1 }])),
    nodes: [['Concat', ['a', 'b', 'c', 'd', 'e'], ['z'], { axis: 1 }]],
  },
  'columns of different types, some scaled before and all after': {
    inputs: { a: { elements: 2 }, b: { elements: 1, type: elementType.int64 }, c: { elements: 2 } },
    nodes: [
      ['Cast', ['b'], ['bf'], { to: elementType.float }],
      ['ai.onnx.ml:Scaler', ['c'], ['cs'], { offset: { floats: [0.1, 0.2] }, scale: { floats: [1.5, 0.7] } }],
      ['Concat', ['a', 'bf'], ['ab'], { axis: -1 }],
      ['Concat', ['ab', 'cs'], ['abc'], { axis: 1 }],
      [
        'ai.onnx.ml:Scaler',
        ['abc'],
        ['z'],
        { offset: { floats: [0.1, 0.1, 0, 0, 0.3] }, scale: { floats: [1, 2, 3, 4, 5] } },
      ],
    ],
  },
  'standardised by arithmetic in float32': {
    inputs: plain,
    nodes: [
      ['Sub', ['x', 'mean'], ['s']],
      ['Div', ['s', 'spread'], ['d']],
      ['Mul', ['d', 'half'], ['m']],
      ['Sub', ['half', 'm'], ['r']],
      ['Add', ['mean', 'r'], ['z']],
    ],
    constants: {
      mean: { dims: [1, features], values: [0.1, 0.2, 0.3, -0.4, 0.5] },
      spread: { dims: [features], values: [1.7, 2.3, 1.9, 2.1, 3] },
      half: { dims: [1], values: [0.5] },
    },
  },
  'an image made flat': {
    inputs: { x: { elements: features, dims: [1, features] } },
    nodes: [['Flatten', ['x'], ['z']]],
  },
  'reshaped to its own rows': {
    inputs: { x: { elements: features, dims: [features, 1] } },
    nodes: [
      ['Reshape', ['x', 'rows'], ['y1']],
      ['Reshape', ['y1', 'same'], ['z']],
    ],
    constants: { rows: int64(-1, features), same: int64(0, -1) },
  },
};

/** Behind the trees: their sum, and the probabilities of two classes. */
const behind: readonly NodeText[] = [
  legacyNode(text, 'z', 'margin'),
  ['Sigmoid', ['margin'], ['yes']],
  ['Sub', ['unit', 'yes'], ['no']],
  ['Concat', ['no', 'yes'], ['probabilities'], { axis: 1 }],
];

function build({ inputs, nodes, constants }: Case): Uint8Array {
  const entries = Object.entries(inputs);
  return buildModel({
    inputs: Object.fromEntries(entries.map(([name, { elements, dims }]) => [name, ['N', ...(dims ?? [elements])]])),
    types: Object.fromEntries(entries.map(([name, { type }]) => [name, type ?? elementType.float])),
    constants: { ...constants, unit: { dims: [1], values: [1] } },
    nodes: [...nodes, ...behind],
    outputs: ['margin', 'probabilities'],
  });
}

function feedsOf({ inputs }: Case, all: readonly (readonly number[])[]): Record<string, Values> {
  let from = 0;
  const feeds: Record<string, Values> = {};
  for (const [name, { elements, dims, type }] of Object.entries(inputs)) {
    const own = all.flatMap((row) => row.slice(from, from + elements));
    const shape = [all.length, ...(dims ?? [elements])];
    feeds[name] =
      type === elementType.int64
        ? { dims: shape, data: BigInt64Array.from(own, (value) => BigInt(Math.round(value))) }
        : { dims: shape, data: Float32Array.from(own) };
    from += elements;
  }
  return feeds;
}

/** As the model sees them: whole numbers where the input is of whole numbers. */
function seen({ inputs }: Case): number[][] {
  const types = Object.values(inputs).flatMap(({ elements, type }) =>
    new Array<number | undefined>(elements).fill(type),
  );
  return rows.map((row) => row.map((value, at) => (types[at] === elementType.int64 ? Math.round(value) : value)));
}

describe.each(Object.entries(cases))('features that are %s', (_, one_) => {
  const file = build(one_);
  const all = seen(one_);

  test('reach the trees as in ONNX Runtime, and what follows the trees is known', async () => {
    const running = await RunningModel.load(file);
    const answer = await running.run(feedsOf(one_, all));
    await running.release();
    const margins = Array.from(answer['margin']?.data as Float32Array);
    expect(new Set(margins).size).toBeGreaterThan(4);
    const model = readTrees(file, 'margin');
    expect(model.inputs).toEqual(Object.entries(one_.inputs).map(([name, { elements }]) => ({ name, elements })));
    expectClose(evaluateTrees(model, all.flat()), margins, 1e-5);
    const both = readTrees(file, 'probabilities');
    expect(both).toMatchObject({ columns: [0, 1], transform: 'Sigmoid', logistic: true });
    expectClose(
      evaluateTrees(both, all.flat()),
      margins.flatMap((margin) => [-margin, margin]),
      1e-5,
    );
    const probabilities = Array.from(answer['probabilities']?.data as Float32Array);
    expectClose(
      evaluateTrees(both, all.flat()).map((value) => 1 / (1 + Math.exp(-value))),
      probabilities,
      1e-5,
    );
  });

  test('have the Shapley values of all coalitions, as ONNX Runtime answers them', async () => {
    const [row, background] = [all[0] as number[], all.slice(1, 6)];
    const estimator = exact({ players: features, index: 'shapley' });
    const running = await RunningModel.load(file);
    for (let batch = estimator.next(64); batch !== undefined; batch = estimator.next(64)) {
      const { count, masks } = batch;
      const asked = Array.from({ length: count }, (__, mask) =>
        background.map((other) =>
          other.map((value, f) => (masks[mask * features + f] === 1 ? (row[f] as number) : value)),
        ),
      );
      const answer = (await running.run(feedsOf(one_, asked.flat())))['margin']?.data as Float32Array;
      estimator.tell(
        Float64Array.from({ length: count }, (__, mask) => {
          const own = answer.slice(mask * background.length, (mask + 1) * background.length);
          return own.reduce((sum, value) => sum + value, 0) / background.length;
        }),
      );
    }
    await running.release();
    const want = estimator.result()?.outputs[0];
    const [no, yes] = interventionalTrees(readTrees(file, 'probabilities'), background.flat()).explain(row).outputs;
    expectClose(yes?.values ?? [], want?.values ?? [], 1e-5);
    expectClose(
      no?.values ?? [],
      (want?.values ?? new Float64Array()).map((value) => -value),
      1e-5,
    );
    expect(yes?.baseValue).toBeCloseTo(want?.baseValue ?? NaN, 5);
  });
});

test('the demo model’s probabilities are two sides of one sum', () => {
  const model = readTrees(
    readFileSync(join(__dirname, '../../../../models/breast_cancer/1/model.onnx')),
    'probabilities',
  );
  expect(model).toMatchObject({ columns: [0, 1], logistic: true, inputs: [{ name: 'measurements', elements: 30 }] });
  const row = Array.from({ length: 30 }, (_, at) => at);
  const [no = Number.NaN, yes] = evaluateTrees(model, row);
  expect(yes).toBe(-no);
});

test('getting ready and explaining go in many steps, several rows at a time, to the same values', () => {
  const model = readTrees(build(cases['a column each'] as Case), 'probabilities');
  const background = Array.from({ length: 2000 }, (_, at) => rows[at % 20] as number[]).flat();
  let pieces = 0;
  const ready = interventionalSteps(model, background);
  let step = ready.next();
  for (; step.done !== true; step = ready.next()) pieces += 1;
  expect(pieces).toBeGreaterThan(20);
  const explainer = step.value;
  const under = [explainer.steps(rows[0] as number[]), explainer.steps(rows[1] as number[])] as const;
  const results = under.map(() => undefined as ShapleyResult | undefined);
  for (let turn = 0; results.includes(undefined); turn += 1) {
    const one = (under[turn % 2] as (typeof under)[0]).next();
    if (one.done === true && one.value !== undefined) results[turn % 2] = one.value;
    expect(turn).toBeLessThan(100);
  }
  const whole = interventionalTrees(model, background);
  expect(results).toEqual([whole.explain(rows[0] as number[]), whole.explain(rows[1] as number[])]);
});

test.each<[string, Partial<Case>, string]>([
  ['rows that are mixed', { nodes: [['Reshape', ['x', 'rows'], ['z']]], constants: { rows: int64(-1, 1) } }, 'Reshape'],
  ['columns under each other', { nodes: [['Concat', ['x', 'x'], ['z'], { axis: 0 }]] }, 'Concat'],
  ['an input twice', { nodes: [['Concat', ['x', 'x'], ['z'], { axis: 1 }]] }, 'more than one place'],
  [
    'a constant of another size',
    { nodes: [['Sub', ['x', 'c'], ['z']]], constants: { c: { dims: [2], values: [1, 2] } } },
    'Sub',
  ],
  [
    'whole numbers that are scaled',
    {
      inputs: { x: { elements: features, type: elementType.int64 } },
      nodes: [
        ['Add', ['x', 'c'], ['s']],
        ['Cast', ['s'], ['z'], { to: 1 }],
      ],
      constants: { c: int64(1) },
    },
    'Add',
  ],
  [
    'what is cast to whole numbers',
    {
      nodes: [
        ['Cast', ['x'], ['i'], { to: 7 }],
        ['Cast', ['i'], ['z'], { to: 1 }],
      ],
    },
    'Cast',
  ],
])('%s are refused by name', (_, change, name) => {
  expect(() => readTrees(build({ inputs: plain, nodes: [], ...change }), 'margin')).toThrow(name);
});
