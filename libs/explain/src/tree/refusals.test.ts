import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ShoalError } from '@shoal/core';
import * as fc from 'fast-check';

import type { ModelText, NodeText } from '../testing/build-model';
import { type Branch, ensembleNode, type EnsembleText, legacyNode, type Tree, treeModel } from '../testing/build-trees';
import { interventionalTrees } from './interventional';
import { pathDependentTrees } from './path-dependent';
import { readTrees } from './read-trees';

const seed = Number(process.env['TEST_SEED'] ?? Math.trunc(process.hrtime()[1] % 1e6));
console.info(`broken trees: TEST_SEED=${seed}`);
fc.configureGlobal({ seed });

const leaf = (value: number, cover = 1): Tree => ({ weights: { 0: value }, cover });
const stump: Branch = { feature: 1, mode: 'leq', threshold: 0, yes: leaf(1), no: leaf(2), cover: 2 };
const plain: EnsembleText = { trees: [{ ...stump, yes: stump, cover: 3 }], features: 2, targets: 1 };

/** The node with attributes replaced. */
const changed = (node: NodeText, attributes: NodeText[3]): NodeText => [
  node[0],
  node[1],
  node[2],
  { ...node[3], ...attributes },
];
const legacy = (attributes: NodeText[3]): Uint8Array => treeModel(changed(legacyNode(plain), attributes), 2);
const current = (attributes: NodeText[3]): Uint8Array => treeModel(changed(ensembleNode(plain), attributes), 2);

// In preorder: 0 branch (1, 4), 1 branch (2, 3), then leaves 2, 3, 4.
test.each<[string, Uint8Array, RegExp]>([
  ['a cycle', legacy({ nodes_truenodeids: [1, 0, 0, 0, 0] }), /a node is reached twice/],
  ['a node that is its own child', legacy({ nodes_truenodeids: [1, 1, 0, 0, 0] }), /a node is reached twice/],
  ['a missing child', legacy({ nodes_falsenodeids: [9, 3, 0, 0, 0] }), /a child that does not exist/],
  ['a child below zero', legacy({ nodes_falsenodeids: [-1, 3, 0, 0, 0] }), /a child that does not exist/],
  [
    'a threshold that is no number',
    legacy({ nodes_values: { floats: [0, Number.NaN, 0, 0, 0] } }),
    /a threshold is not a number/,
  ],
  [
    'a weight that is no number',
    legacy({ target_weights: { floats: [1, Number.NaN, 2] } }),
    /weight is not a finite number/,
  ],
  ['an endless weight', legacy({ target_weights: { floats: [1, Infinity, 2] } }), /weight is not a finite number/],
  ['a feature beyond the input', legacy({ nodes_featureids: [1, 2, 0, 0, 0] }), /looks at feature 2 of 2/],
  ['a feature below zero', legacy({ nodes_featureids: [1, -1, 0, 0, 0] }), /looks at feature -1 of 2/],
  ['an output beyond the last', legacy({ target_ids: [0, 1, 0] }), /adds to output 1 of 1/],
  ['a list that is too short', legacy({ nodes_treeids: [0, 0, 0] }), /nodes_treeids has 3 elements, expected 5/],
  ['covers for some nodes', legacy({ nodes_hitrates: { floats: [1] } }), /nodes_hitrates has 1 elements, expected 5/],
  ['two nodes of one name', legacy({ nodes_nodeids: [0, 1, 2, 2, 2] }), /two nodes of a tree have the same id/],
  ['trees mixed', legacy({ nodes_treeids: [0, 0, 1, 0, 0] }), /nodes of a tree do not follow each other/],
  ['a weight of no node', legacy({ target_nodeids: [2, 3, 17] }), /a weight belongs to a node that does not exist/],
  [
    'base values for outputs that are not there',
    legacy({ base_values: { floats: [1, 2] } }),
    /base_values has 2 elements, expected none or 1/,
  ],
  ['TreeEnsemble: a cycle', current({ nodes_truenodeids: [0, 0], nodes_trueleafs: [0, 1] }), /a node is reached twice/],
  ['TreeEnsemble: a missing leaf', current({ nodes_falsenodeids: [2, 7] }), /a child that does not exist/],
  ['TreeEnsemble: a root that is not there', current({ tree_roots: [5] }), /a child that does not exist/],
  [
    'TreeEnsemble: a list that is too short',
    current({ leaf_targetids: [0] }),
    /leaf_targetids has 1 elements, expected 3/,
  ],
])('%s is malformed', (_, file, message) => {
  expect(() => readTrees(file)).toThrow(message);
  expect(() => readTrees(file)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

const around = (more: Partial<ModelText>): Uint8Array => treeModel(legacyNode(plain), 2, more);
const classes: EnsembleText = { ...plain, targets: 2, classifier: true };
const remedy = 'use a method that only asks the model for predictions';

test.each<[string, Uint8Array, string]>([
  ['the smallest tree', legacy({ aggregate_function: 'MIN' }), 'takes the MIN of its trees'],
  ['the largest tree', current({ aggregate_function: 3 }), 'takes the maximum of its trees'],
  [
    'an unknown mode',
    legacy({ nodes_modes: { strings: ['BRANCH_XOR', 'BRANCH_LEQ', 'LEAF', 'LEAF', 'LEAF'] } }),
    'unknown mode "BRANCH_XOR"',
  ],
  ['no trees', around({ nodes: [['Relu', ['x'], ['y']]] }), 'no tree ensemble'],
  ['an operator behind', around({ nodes: [legacyNode(plain, 'x', 'a'), ['Erf', ['a'], ['y']]] }), 'Erf "n1"'],
  ['an operator before', around({ nodes: [['Tanh', ['x'], ['a']], legacyNode(plain, 'a')] }), 'Tanh "n0"'],
  [
    'a product of trees',
    around({ nodes: [legacyNode(plain, 'x', 'a'), ['Mul', ['a', 'a'], ['y']]] }),
    'Mul "n1" of two tensors',
  ],
  [
    'trees of different features',
    around({
      nodes: [
        ['Identity', ['x'], ['i']],
        legacyNode(plain, 'x', 'a'),
        legacyNode(plain, 'i', 'b'),
        ['Add', ['a', 'b'], ['y']],
      ],
    }),
    'look at different tensors',
  ],
  [
    'the input itself',
    around({ nodes: [legacyNode(plain, 'x', 'a'), ['Add', ['a', 'x'], ['y']]] }),
    '"x" goes into it',
  ],
  ['labels', treeModel(legacyNode(classes), 2, { outputs: ['y_label'], types: { y_label: 7 } }), 'is the label of'],
  [
    'two base values for one score',
    treeModel(legacyNode({ ...classes, base: [1, 2] }), 2),
    'two base_values for a single score',
  ],
  [
    'a base value that comes and goes',
    treeModel(legacyNode({ ...plain, targets: 2, base: [0, 1] }), 2),
    'base value to output 1',
  ],
  [
    'a circle of operators',
    around({ nodes: [legacyNode(plain, 'x', 'a'), ['Sum', ['y', 'a'], ['z']], ['Identity', ['z'], ['y']]] }),
    'more than 64 operators',
  ],
])('%s: refused with what is in the way, and a remedy', (_, file, message) => {
  expect(() => readTrees(file)).toThrow(message);
  expect(() => readTrees(file)).toThrow(remedy);
  expect(() => readTrees(file)).toThrow(expect.objectContaining({ code: 'UNIMPLEMENTED' }));
});

test('an output that is asked for must be there', () => {
  expect(() => readTrees(legacy({}), 'z')).toThrow('the model has no output "z"');
});

test('a tree that is a long chain is refused, not recursed into', () => {
  const count = 40001;
  const half = (count - 1) / 2;
  const at = Array.from({ length: count }, (_, node) => node);
  const inner = (node: number): boolean => node < half;
  const file = legacy({
    nodes_treeids: at.map(() => 0),
    nodes_nodeids: at,
    nodes_featureids: at.map(() => 0),
    nodes_modes: { strings: at.map((node) => (inner(node) ? 'BRANCH_LEQ' : 'LEAF')) },
    nodes_values: { floats: at.map(() => 0) },
    nodes_truenodeids: at.map((node) => (inner(node) ? node + 1 : 0)),
    nodes_falsenodeids: at.map((node) => (inner(node) ? half + 1 + node : 0)),
    nodes_missing_value_tracks_true: [],
    nodes_hitrates: { floats: [] },
  });
  expect(() => readTrees(file)).toThrow('a tree is too deep: at most 1000');
});

test('more nodes than the bound are refused', () => {
  const many = 2 ** 22 + 1;
  const modes = new Uint8Array(many);
  const file = current({ nodes_modes: { tensor: tensorOf(modes) } });
  expect(() => readTrees(file)).toThrow(/too many elements: at most 4194304/);
  expect(() => readTrees({ length: 2 ** 28 + 1 } as Uint8Array)).toThrow(/too many bytes/);
});

/** A TensorProto of uint8 elements: dims, data_type 2, raw_data. */
function tensorOf(values: Uint8Array): Uint8Array {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
  return Uint8Array.from(
    Buffer.concat([Uint8Array.from([8, ...varint(values.length), 16, 2, 74, ...varint(values.length)]), values]),
  );
}

test('files cut short or with bytes changed are read or refused with a sentence, and soon', () => {
  const file = readFileSync(join(__dirname, '../../../../test/fixtures/models/breast_cancer_xgb/1/model.onnx'));
  const background = new Float64Array(60);
  const attempt = (bytes: Uint8Array): unknown => {
    try {
      const model = readTrees(bytes);
      const explainer = interventionalTrees(model, background.subarray(0, 2 * model.forest.features));
      explainer.explain(new Float64Array(model.forest.features), 'sii');
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const isAnswer = (error: unknown): boolean =>
    error === undefined ||
    (error instanceof ShoalError &&
      ['INVALID_ARGUMENT', 'UNIMPLEMENTED', 'RESOURCE_EXHAUSTED'].includes(error.code) &&
      error.message.length < 400);
  const position = fc.nat({ max: file.length - 1 });
  fc.assert(
    fc.property(position, (end) => expect(isAnswer(attempt(file.subarray(0, end)))).toBe(true)),
    { numRuns: 60 },
  );
  const changes = fc.array(fc.tuple(position, fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(changes, (list) => {
      const bytes = Uint8Array.from(file);
      for (const [at, value] of list) bytes[at] = value;
      expect(isAnswer(attempt(bytes))).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test('rows, backgrounds, weights and groups that do not fit are refused', () => {
  const model = readTrees(legacy({}));
  expect(() => interventionalTrees(model, [])).toThrow('the background has 0 values: expected one or more rows of 2');
  expect(() => interventionalTrees(model, [1, 2, 3])).toThrow('the background has 3 values');
  for (const weights of [[1], [1, -1], [0, 0], [1, Number.NaN], [1, Infinity]])
    expect(() => interventionalTrees(model, [1, 2, 3, 4], { weights })).toThrow('background weights are');
  expect(() => interventionalTrees(model, [1, 2]).explain([1])).toThrow('a row has 1 values, the model has 2 features');
  expect(() => interventionalTrees(model, [1, 2], { playerOf: [0] })).toThrow(
    'groups name 1 features, the model has 2',
  );
  expect(() => interventionalTrees(model, [1, 2], { playerOf: [0, 2] })).toThrow('group is 2: expected 0 to 1');
});

test.each<[string, Uint8Array, string]>([
  ['covers of one each', legacy({ nodes_hitrates: { floats: [1, 1, 1, 1, 1] } }), 'do not add up'],
  ['a node that no row reached', legacy({ nodes_hitrates: { floats: [3, 2, 2, 0, 1] } }), 'no training row reached'],
  ['no covers', legacy({ nodes_hitrates: { floats: [] } }), 'does not say how many'],
  ['a TreeEnsemble', current({}), 'does not say how many'],
])('path-dependent: %s', (_, file, message) => {
  expect(() => pathDependentTrees(readTrees(file))).toThrow(message);
  expect(() => pathDependentTrees(readTrees(file))).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
});
