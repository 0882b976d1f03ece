import type { OnnxAttribute, OnnxNode } from '../onnx/onnx-model';
import { tensorValues } from './attribute-values';
import { nodeMode } from './forest';
import { malformedTrees, tooLarge, treeLimits, unexplainedTrees } from './limits';
import type { ListedTrees } from './listed-trees';

const modes: Readonly<Record<string, number>> = {
  BRANCH_LEQ: nodeMode.leq,
  BRANCH_LT: nodeMode.lt,
  BRANCH_GTE: nodeMode.gte,
  BRANCH_GT: nodeMode.gt,
  BRANCH_EQ: nodeMode.eq,
  BRANCH_NEQ: nodeMode.neq,
  LEAF: nodeMode.leaf,
};

/** The trees of a TreeEnsembleClassifier or TreeEnsembleRegressor (ai.onnx.ml 1 to 3). */
export function legacyTrees(node: OnnxNode): ListedTrees {
  const classifier = node.op === 'TreeEnsembleClassifier';
  const list = new Lists(node);
  const names = node.attributes.get('nodes_modes')?.strings ?? [];
  const count = names.length;
  if (count > treeLimits.nodes) throw tooLarge('the tree ensemble has too many nodes', treeLimits.nodes);
  const treeIds = list.ints('nodes_treeids', count);
  const nodeIds = list.ints('nodes_nodeids', count);
  const features = list.ints('nodes_featureids', count);
  const trueIds = list.ints('nodes_truenodeids', count);
  const falseIds = list.ints('nodes_falsenodeids', count);
  const values = list.floats('nodes_values', count);
  const missing = list.optional(
    node.attributes.get('nodes_missing_value_tracks_true')?.ints ?? [],
    count,
    'nodes_missing_value_tracks_true',
  );
  const hits = list.optional(list.numbers('nodes_hitrates'), count, 'nodes_hitrates');

  // Branches come first, in the file's order, then leaves.
  let branches = 0;
  for (const name of names) if (name !== 'LEAF') branches += 1;
  const places = new Int32Array(count);
  let branch = 0;
  let leaf = branches;
  for (let at = 0; at < count; at += 1) places[at] = names[at] === 'LEAF' ? leaf++ : branch++;
  const index = new NodeIndex(treeIds, nodeIds);
  const mode = new Uint8Array(branches);
  const feature = new Float64Array(branches);
  const threshold = new Float64Array(branches);
  const tracks = new Uint8Array(branches);
  const trueChild = new Int32Array(branches);
  const falseChild = new Int32Array(branches);
  const cover = hits === undefined ? undefined : new Float64Array(count);
  const roots: number[] = [];
  const placeOf = (tree: number, id: number): number => {
    const found = index.find(tree, id);
    return found === -1 ? -1 : (places[found] as number);
  };
  for (let at = 0; at < count; at += 1) {
    const place = places[at] as number;
    if (at === 0 || treeIds[at] !== treeIds[at - 1]) roots.push(place);
    if (cover !== undefined) cover[place] = hits?.[at] as number;
    if (place >= branches) continue;
    const of = modes[names[at] as string];
    if (of === undefined)
      throw unexplainedTrees(
        `the model's trees have branches of the unknown mode ${JSON.stringify(names[at]?.slice(0, 40))}`,
      );
    mode[place] = of;
    feature[place] = features[at] as number;
    threshold[place] = values[at] as number;
    tracks[place] = missing?.[at] === 1 ? 1 : 0;
    trueChild[place] = placeOf(treeIds[at] as number, trueIds[at] as number);
    falseChild[place] = placeOf(treeIds[at] as number, falseIds[at] as number);
  }

  const prefix = classifier ? 'class' : 'target';
  const weights = list.numbers(`${prefix}_weights`);
  const ids = list.ints(`${prefix}_ids`, weights.length);
  const weightTrees = list.ints(`${prefix}_treeids`, weights.length);
  const weightNodes = list.ints(`${prefix}_nodeids`, weights.length);
  const kept: number[] = [];
  const weightLeaf = new Int32Array(weights.length);
  for (let at = 0; at < weights.length; at += 1) {
    const place = placeOf(weightTrees[at] as number, weightNodes[at] as number);
    if (place === -1) throw malformedTrees('a weight belongs to a node that does not exist');
    // Weights of branches are never reached.
    if (place < branches) continue;
    weightLeaf[kept.length] = place - branches;
    kept.push(at);
  }
  const targets = classifier
    ? Math.max(...['classlabels_int64s', 'classlabels_strings'].map((name) => labelCount(node.attributes.get(name))))
    : (node.attributes.get('n_targets')?.i ?? 1);
  return {
    branches,
    leaves: count - branches,
    roots,
    mode,
    feature,
    threshold,
    missing: tracks,
    trueChild,
    falseChild,
    cover,
    weightLeaf: weightLeaf.subarray(0, kept.length),
    weightTarget: Float64Array.from(kept, (at) => ids[at] as number),
    weightValue: Float64Array.from(kept, (at) => weights[at] as number),
    members: new Float64Array(0),
    targets,
    average: averages(node),
    base: Array.from(list.numbers('base_values')),
    baseWithWeight: !classifier && targets > 1,
  };
}

function averages(node: OnnxNode): boolean {
  const aggregate = node.attributes.get('aggregate_function')?.s ?? 'SUM';
  if (aggregate === 'SUM' || aggregate === 'AVERAGE') return aggregate === 'AVERAGE';
  throw unexplainedTrees(
    `the model takes the ${aggregate.slice(0, 20)} of its trees, which TreeSHAP cannot share out (SUM and AVERAGE it can)`,
  );
}

const labelCount = (labels: OnnxAttribute | undefined): number =>
  Math.max(labels?.ints.length ?? 0, labels?.strings.length ?? 0);

/** Lists of numbers of one operator, in attributes of their own name or as tensors (`…_as_tensor`). */
class Lists {
  private readonly node: OnnxNode;

  constructor(node: OnnxNode) {
    this.node = node;
  }

  ints(name: string, count: number): readonly number[] {
    return this.checked(this.node.attributes.get(name)?.ints ?? [], count, name);
  }

  floats(name: string, count: number): ArrayLike<number> {
    return this.checked(this.numbers(name), count, name);
  }

  numbers(name: string): ArrayLike<number> {
    const tensor = this.node.attributes.get(`${name}_as_tensor`)?.t;
    return tensor === undefined
      ? (this.node.attributes.get(name)?.floats ?? [])
      : tensorValues(tensor, `${name}_as_tensor`);
  }

  /** undefined when the list is empty. */
  optional(list: ArrayLike<number>, count: number, name: string): ArrayLike<number> | undefined {
    return list.length === 0 ? undefined : this.checked(list, count, name);
  }

  private checked<T extends ArrayLike<number>>(list: T, count: number, name: string): T {
    if (list.length === count) return list;
    throw malformedTrees(`${name} has ${list.length} elements, expected ${count}`);
  }
}

/** Finds nodes by tree and id: at once when a tree's ids count up from 0, as they mostly do. */
class NodeIndex {
  private readonly trees: readonly number[];
  private readonly ids: readonly number[];
  private readonly first = new Map<number, number>();
  private readonly others = new Map<number, Map<number, number>>();

  constructor(trees: readonly number[], ids: readonly number[]) {
    this.trees = trees;
    this.ids = ids;
    for (const [at, tree] of trees.entries()) {
      const start = this.first.get(tree);
      if (start === undefined) this.first.set(tree, at);
      else if (trees[at - 1] !== tree) throw malformedTrees('the nodes of a tree do not follow each other');
      const id = ids[at] as number;
      if (id === at - (start ?? at)) continue;
      let others = this.others.get(tree);
      if (others === undefined) this.others.set(tree, (others = new Map()));
      if (others.has(id)) throw malformedTrees('two nodes of a tree have the same id');
      others.set(id, at);
    }
  }

  /** −1: there is none. */
  find(tree: number, id: number): number {
    const start = this.first.get(tree);
    if (start === undefined) return -1;
    const at = start + id;
    if (this.trees[at] === tree && this.ids[at] === id) return at;
    return this.others.get(tree)?.get(id) ?? -1;
  }
}
