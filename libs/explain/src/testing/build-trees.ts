import { elementType } from '../onnx/onnx-model';
import { ProtoWriter } from '../onnx/proto-writer';
import { makeTensor } from '../onnx/write-onnx';
import { nodeMode } from '../tree/forest';
import { buildModel, type ModelText, type NodeText } from './build-model';

/** A leaf: weights by output. */
export interface Leaf {
  readonly weights: Readonly<Record<number, number>>;
  readonly cover?: number;
}

/** A branch; `mode` is a name of {@link nodeMode}. */
export interface Branch {
  readonly feature: number;
  readonly mode: Exclude<keyof typeof nodeMode, 'leaf'>;
  readonly threshold: number;
  readonly members?: readonly number[];
  readonly missing?: boolean;
  readonly yes: Tree;
  readonly no: Tree;
  readonly cover?: number;
}

export type Tree = Leaf | Branch;

export interface EnsembleText {
  readonly trees: readonly Tree[];
  readonly features: number;
  readonly targets: number;
  readonly classifier?: boolean;
  readonly base?: readonly number[];
  readonly aggregate?: 'SUM' | 'AVERAGE' | 'MIN' | 'MAX';
  readonly post?: string;
}

/** Nodes of an ensemble in preorder. */
function listed(trees: readonly Tree[]): { tree: number; id: number; node: Tree; yes: number; no: number }[] {
  const rows: { tree: number; id: number; node: Tree; yes: number; no: number }[] = [];
  for (const [tree, root] of trees.entries()) {
    let next = 0;
    const visit = (node: Tree): number => {
      const row = { tree, id: next, node, yes: 0, no: 0 };
      next += 1;
      rows.push(row);
      if ('feature' in node) {
        row.yes = visit(node.yes);
        row.no = visit(node.no);
      }
      return row.id;
    };
    visit(root);
  }
  return rows;
}

/** A TreeEnsembleRegressor or TreeEnsembleClassifier from `x` to `y`. */
export function legacyNode(text: EnsembleText, input = 'x', output = 'y'): NodeText {
  const rows = listed(text.trees);
  const branch = (pick: (node: Branch) => number): number[] =>
    rows.map(({ node }) => ('feature' in node ? pick(node) : 0));
  const weights = rows.flatMap((row) =>
    'feature' in row.node
      ? []
      : Object.entries(row.node.weights).map(([id, value]) => ({ ...row, id: Number(id), at: row.id, value })),
  );
  const prefix = text.classifier === true ? 'class' : 'target';
  const covers = rows.map(({ node }) => node.cover ?? 1);
  return [
    `ai.onnx.ml:TreeEnsemble${text.classifier === true ? 'Classifier' : 'Regressor'}`,
    [input],
    text.classifier === true ? [`${output}_label`, output] : [output],
    {
      nodes_treeids: rows.map((row) => row.tree),
      nodes_nodeids: rows.map((row) => row.id),
      nodes_featureids: branch((node) => node.feature),
      nodes_modes: {
        strings: rows.map(({ node }) => ('feature' in node ? `BRANCH_${node.mode.toUpperCase()}` : 'LEAF')),
      },
      nodes_values: { floats: branch((node) => node.threshold) },
      nodes_truenodeids: rows.map((row) => row.yes),
      nodes_falsenodeids: rows.map((row) => row.no),
      nodes_missing_value_tracks_true: branch((node) => (node.missing === true ? 1 : 0)),
      nodes_hitrates: { floats: covers },
      [`${prefix}_treeids`]: weights.map((one) => one.tree),
      [`${prefix}_nodeids`]: weights.map((one) => one.at),
      [`${prefix}_ids`]: weights.map((one) => one.id),
      [`${prefix}_weights`]: { floats: weights.map((one) => one.value) },
      post_transform: text.post ?? 'NONE',
      ...(text.base === undefined ? {} : { base_values: { floats: text.base } }),
      ...(text.classifier === true
        ? { classlabels_int64s: Array.from({ length: text.targets }, (_, label) => label) }
        : { n_targets: text.targets, aggregate_function: text.aggregate ?? 'SUM' }),
    },
  ];
}

/** A TreeEnsemble of ai.onnx.ml 5. Its leaves have one weight each. */
export function ensembleNode(text: EnsembleText, type: number = elementType.float): NodeText {
  const rows = listed(text.trees);
  const numbers = new Map<string, number>();
  let branches = 0;
  let leaves = 0;
  for (const { tree, id, node } of rows) numbers.set(`${tree}/${id}`, 'feature' in node ? branches++ : leaves++);
  const inner = rows.flatMap((row) => ('feature' in row.node ? [{ ...row, node: row.node }] : []));
  const ends = rows.flatMap(({ node }) => ('feature' in node ? [] : Object.entries(node.weights).slice(0, 1)));
  const isLeaf = (tree: number, id: number): number =>
    rows.some((row) => row.tree === tree && row.id === id && !('feature' in row.node)) ? 1 : 0;
  const number = (tree: number, id: number): number => numbers.get(`${tree}/${id}`) as number;
  const sets = inner.flatMap(({ node }) => (node.mode === 'member' ? [...(node.members ?? []), Number.NaN] : []));
  return [
    'ai.onnx.ml:TreeEnsemble',
    ['x'],
    ['y'],
    {
      tree_roots: text.trees.map((_, tree) => number(tree, 0)),
      nodes_featureids: inner.map(({ node }) => node.feature),
      nodes_modes: { tensor: bytesTensor(inner.map(({ node }) => nodeMode[node.mode])) },
      nodes_splits: {
        tensor: makeTensor(
          '',
          type,
          [inner.length],
          inner.map(({ node }) => node.threshold),
        ),
      },
      nodes_truenodeids: inner.map(({ tree, yes }) => number(tree, yes)),
      nodes_trueleafs: inner.map(({ tree, yes }) => isLeaf(tree, yes)),
      nodes_falsenodeids: inner.map(({ tree, no }) => number(tree, no)),
      nodes_falseleafs: inner.map(({ tree, no }) => isLeaf(tree, no)),
      nodes_missing_value_tracks_true: inner.map(({ node }) => (node.missing === true ? 1 : 0)),
      leaf_targetids: ends.map(([target]) => Number(target)),
      leaf_weights: {
        tensor: makeTensor(
          '',
          type,
          [ends.length],
          ends.map(([, weight]) => weight),
        ),
      },
      ...(sets.length === 0 ? {} : { membership_values: { tensor: makeTensor('', type, [sets.length], sets) } }),
      n_targets: text.targets,
      aggregate_function: ['AVERAGE', 'SUM', 'MIN', 'MAX'].indexOf(text.aggregate ?? 'SUM'),
      post_transform: 0,
    },
  ];
}

/** A TensorProto of uint8 elements. */
const bytesTensor = (values: readonly number[]): Uint8Array =>
  new ProtoWriter().int(1, values.length).int(2, 2).bytes(9, Uint8Array.from(values)).finish();

/** A model file of one ensemble, and what may stand around it. */
export function treeModel(node: NodeText, features: number, more: Partial<ModelText> = {}): Uint8Array {
  return buildModel({
    inputs: { x: ['N', features] },
    nodes: [node],
    outputs: ['y'],
    ml: node[0] === 'ai.onnx.ml:TreeEnsemble' ? 5 : 3,
    ...more,
  });
}
