import * as fc from 'fast-check';

import { elementType } from '../onnx/onnx-model';
import type { ModelText, NodeText } from '../testing/build-model';
import { type Branch, ensembleNode, type EnsembleText, type Leaf, legacyNode, treeModel } from '../testing/build-trees';
import { ensembles, rowsOf } from '../testing/random-trees';
import { floats, RunningModel, type Values } from '../testing/run-model';
import { readTrees } from './read-trees';
import { evaluateTrees } from './tree-explainer';

const seed = Number(process.env['TEST_SEED'] ?? Math.trunc(process.hrtime()[1] % 1e6));
console.info(`trees in ONNX Runtime: TEST_SEED=${seed}`);
fc.configureGlobal({ seed });

/** Our sums of a model, and the same columns of what ONNX Runtime answers; as [rows × outputs]. */
async function both(
  file: Uint8Array,
  rows: readonly (readonly number[])[],
  type: number = elementType.float,
  shapes: Readonly<Record<string, readonly number[]>> = {},
) {
  const model = readTrees(file);
  const feeds: Record<string, Values> = {};
  let from = 0;
  for (const { name, elements } of model.inputs) {
    const own = rows.flatMap((row) => row.slice(from, from + elements));
    const dims = shapes[name] ?? [rows.length, elements];
    feeds[name] = type === elementType.double ? { dims, data: Float64Array.from(own) } : floats(dims, own);
    from += elements;
  }
  const running = await RunningModel.load(file);
  try {
    const answer = (await running.run(feeds))[model.output];
    const width = (answer?.data.length ?? 0) / rows.length;
    const want = rows.flatMap((_, row) => model.columns.map((column) => Number(answer?.data[row * width + column])));
    return { model, got: Array.from(evaluateTrees(model, rows.flat())), want };
  } finally {
    await running.release();
  }
}

function furthest({ got, want }: { got: readonly number[]; want: readonly number[] }): number {
  if (got.length !== want.length) return Number.NaN;
  return Math.max(...got.map((value, at) => Math.abs(value - (want[at] as number))));
}

const modes: readonly Branch['mode'][] = ['leq', 'lt', 'gte', 'gt', 'eq', 'neq'];

test.each<[string, { readonly targets: number } & Partial<EnsembleText>]>([
  ['a sum', { targets: 1 }],
  ['sums of several outputs with base values', { targets: 3, base: [1, -2, 0.5] }],
  ['an average', { targets: 2, aggregate: 'AVERAGE', base: [4, 8] }],
  ['an average of one output', { targets: 1, aggregate: 'AVERAGE', base: [4] }],
  ['a classifier', { targets: 3, classifier: true, base: [1, 0, -1] }],
])('%s: random trees add up as in ONNX Runtime', async (_, more) => {
  const text = ensembles({ features: 4, targets: more.targets, several: true, modes });
  await fc.assert(
    fc.asyncProperty(text, rowsOf(4, 8, 16), async (one, rows) => {
      const everyOutput = { 0: 0.5, 1: 0.25, 2: -1 };
      const weights = Object.fromEntries(Object.entries(everyOutput).slice(0, more.targets));
      const trees = [...one.trees, { ...stump(weights, weights), feature: 3 }];
      expect(furthest(await both(treeModel(legacyNode({ ...one, trees, ...more }), 4), rows))).toBeLessThan(1e-4);
    }),
    { numRuns: 25 },
  );
});

test.each([
  ['float', elementType.float, 'SUM', modes],
  ['double', elementType.double, 'AVERAGE', modes],
  // ONNX Runtime lets some fractions into sets of whole numbers, depending on the set: here features are whole, as categories are.
  ['categories', elementType.float, 'SUM', [...modes, 'member']],
] as const)('TreeEnsemble of %s: random trees add up as in ONNX Runtime', async (name, type, aggregate, among) => {
  const text = ensembles({ features: 4, targets: 2, modes: among });
  const round = (row: readonly number[]): number[] =>
    row.map((value) => (name === 'categories' ? Math.trunc(value) : value));
  await fc.assert(
    fc.asyncProperty(text, rowsOf(4, 8, 16), async (one, list) => {
      const rows = list.map(round);
      expect(
        furthest(await both(treeModel(ensembleNode({ ...one, aggregate }, type), 4, { type }), rows, type)),
      ).toBeLessThan(1e-4);
    }),
    { numRuns: 25 },
  );
});

const stump = (yes: Leaf['weights'], no: Leaf['weights'], threshold = 0): Branch => ({
  feature: 0,
  mode: 'leq',
  threshold,
  yes: { weights: yes },
  no: { weights: no },
});
const rows = [[-1], [0], [0.1], [2], [Number.NaN]];

test.each<[string, Partial<EnsembleText>, number[]]>([
  ['one score, of the first class', { trees: [stump({ 0: -1.5 }, { 0: 2 })] }, [1]],
  ['one score, of the second class', { trees: [stump({ 1: -1.5 }, { 1: 2 })] }, [1]],
  ['one score with a base value', { trees: [stump({ 0: -1.5 }, { 0: 2 })], base: [0.25] }, [1]],
  ['one score, none below zero', { trees: [stump({ 0: 0.25 }, { 0: 1 })] }, [1]],
  ['a score for each', { trees: [stump({ 0: -1, 1: 3 }, { 0: 2, 1: -0.5 })] }, [0, 1]],
])('two classes: %s', async (_, more, columns) => {
  const text = { trees: [], features: 1, targets: 2, classifier: true, ...more };
  const answers = await both(treeModel(legacyNode(text), 1), rows);
  expect(answers.model.columns).toEqual(columns);
  expect(furthest(answers)).toBeLessThan(1e-4);
});

test('thresholds are compared as float32: a double just above one is not', async () => {
  const text = { trees: [stump({ 0: 1 }, { 0: 2 }, 0.1)], features: 1, targets: 1 };
  const { got, want } = await both(treeModel(legacyNode(text), 1), [[0.1], [0.1 + 1e-9], [0.1 + 1e-6]]);
  expect(got).toEqual([1, 1, 2]);
  expect(got).toEqual(want);
});

const two: EnsembleText = {
  trees: [stump({ 0: 1, 1: 4 }, { 0: 2 }), stump({ 1: 3 }, { 0: 5 }, 1)],
  features: 1,
  targets: 2,
};
const other: EnsembleText = {
  trees: [stump({ 0: 0.5, 1: 1 }, { 0: 0, 1: 7 }, 0.05)],
  features: 1,
  targets: 2,
  base: [10, 20],
};
const around: readonly [string, Partial<ModelText> & { readonly nodes: readonly NodeText[] }][] = [
  [
    'scaled features',
    {
      nodes: [
        ['ai.onnx.ml:Scaler', ['x'], ['s'], { offset: { floats: [0.5] }, scale: { floats: [3] } }],
        legacyNode(two, 's'),
      ],
    },
  ],
  [
    'features cast to double and back',
    { nodes: [['Cast', ['x'], ['d'], { to: 11 }], ['Cast', ['d'], ['s'], { to: 1 }], legacyNode(two, 's')] },
  ],
  [
    'a sum of ensembles',
    { nodes: [legacyNode(two, 'x', 'a'), legacyNode(other, 'x', 'b'), ['Add', ['a', 'b'], ['y']]] },
  ],
  [
    'a sum of three',
    { nodes: [legacyNode(two, 'x', 'a'), legacyNode(other, 'x', 'b'), ['Sum', ['a', 'b', 'a'], ['y']]] },
  ],
  [
    'a difference, scaled and shifted',
    {
      nodes: [
        legacyNode(two, 'x', 'a'),
        legacyNode(other, 'x', 'b'),
        ['Mul', ['b', 'c'], ['m']],
        ['Sub', ['a', 'm'], ['s']],
        ['Div', ['s', 'c'], ['t']],
        ['Add', ['k', 't'], ['u']],
        ['Identity', ['u'], ['y']],
      ],
      constants: { c: { dims: [2], values: [2, -4] }, k: { dims: [1], values: [0.5] } },
    },
  ],
];

test.each(around)('%s', async (_, more) => {
  expect(furthest(await both(treeModel(legacyNode(two), 1, more), rows))).toBeLessThan(1e-4);
});

test('probabilities behind the sums are named, and the sums explained', () => {
  const file = treeModel(legacyNode(two), 1, { nodes: [legacyNode(two, 'x', 'a'), ['Sigmoid', ['a'], ['y']]] });
  const model = readTrees(file);
  expect(model.transform).toBe('Sigmoid');
  expect(Array.from(evaluateTrees(model, [-1]))).toEqual([1, 7]);
});
