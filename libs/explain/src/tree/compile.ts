import { type Forest, nodeMode } from './forest';
import { malformedTrees, tooLarge, treeLimits, unexplainedTrees } from './limits';
import type { ListedTrees } from './listed-trees';

/** Puts listed trees in preorder. Throws INVALID_ARGUMENT for what is not a set of trees: cycles, joined or missing nodes, NaN. */
export function compileTrees(listed: ListedTrees, features: number): Forest {
  const nodes = order(listed);
  const count = nodes.sequence.length;
  const mode = new Uint8Array(count);
  const feature = new Int32Array(count);
  const threshold = new Float64Array(count);
  const missing = new Uint8Array(count);
  const cover = listed.cover === undefined ? undefined : new Float64Array(count);
  const weights = byLeaf(listed);
  const starts: number[] = [0];
  const targets: number[] = [];
  const values: number[] = [];
  const share = listed.average ? 1 / Math.max(1, listed.roots.length) : 1;
  for (let node = 0; node < count; node += 1) {
    const position = nodes.sequence[node] as number;
    if (cover !== undefined) cover[node] = listed.cover?.[position] as number;
    if (position >= listed.branches) {
      mode[node] = nodeMode.leaf;
      feature[node] = starts.length - 1;
      const leaf = position - listed.branches;
      for (let at = weights.starts[leaf] as number; at < (weights.starts[leaf + 1] as number); at += 1) {
        const weight = weights.sorted[at] as number;
        targets.push(listed.weightTarget[weight] as number);
        values.push((listed.weightValue[weight] as number) * share);
      }
      starts.push(targets.length);
      continue;
    }
    mode[node] = listed.mode[position] as number;
    feature[node] = checkedFeature(listed.feature[position] as number, features);
    threshold[node] = listed.threshold[position] as number;
    missing[node] = listed.missing[position] as number;
    if (Number.isNaN(threshold[node])) throw malformedTrees('a threshold is not a number');
  }
  const forest: Forest = {
    features,
    outputs: listed.targets,
    starts: nodes.starts,
    mode,
    feature,
    threshold,
    missing,
    falseChild: nodes.falseChild.slice(0, count),
    cover,
    weightStarts: Int32Array.from(starts),
    targets: Int32Array.from(targets),
    weights: Float64Array.from(values),
    members: listed.members,
    base: Float64Array.from({ length: listed.targets }, (_, o) => listed.base[o] ?? 0),
  };
  if (listed.baseWithWeight)
    for (const [output, value] of forest.base.entries()) if (value !== 0) expectWeights(forest, output);
  return forest;
}

/** A tree whose leaves all have a weight for the output. Without one, its base value may come and go with the row. */
function expectWeights(forest: Forest, output: number): void {
  for (let tree = 0; tree + 1 < forest.starts.length; tree += 1) {
    let all = true;
    for (let node = forest.starts[tree] as number; node < (forest.starts[tree + 1] as number) && all; node += 1) {
      if (forest.mode[node] !== nodeMode.leaf) continue;
      const leaf = forest.feature[node] as number;
      all = forest.targets.subarray(forest.weightStarts[leaf], forest.weightStarts[leaf + 1]).includes(output);
    }
    if (all) return;
  }
  throw unexplainedTrees(
    `the model adds a base value to output ${output} only for rows for which some tree has a weight for it, and no tree always has`,
  );
}

function checkedFeature(feature: number, features: number): number {
  if (Number.isInteger(feature) && feature >= 0 && feature < features) return feature;
  throw malformedTrees(`a node looks at feature ${feature} of ${features}`);
}

/** Positions in preorder. A branch is reached once; leaves may be shared, and are then counted each time. */
function order(listed: ListedTrees): { sequence: number[]; falseChild: Int32Array; starts: Int32Array } {
  const { branches, leaves, roots } = listed;
  const most = 2 * branches + roots.length;
  const seen = new Uint8Array(branches);
  const sequence: number[] = [];
  const falseChild = new Int32Array(most);
  const starts = new Int32Array(roots.length + 1);
  // Three numbers for each node that waits: its position, the node whose false child it is (or −1), its depth.
  const waiting: number[] = [];
  for (const [tree, root] of roots.entries()) {
    starts[tree] = sequence.length;
    waiting.push(root, -1, 0);
    while (waiting.length > 0) {
      const depth = waiting.pop() as number;
      const parent = waiting.pop() as number;
      const position = waiting.pop() as number;
      if (!(position >= 0 && position < branches + leaves))
        throw malformedTrees('a node has a child that does not exist');
      if (parent >= 0) falseChild[parent] = sequence.length;
      const node = sequence.length;
      sequence.push(position);
      if (position >= branches) continue;
      if (seen[position] === 1)
        throw malformedTrees('a node is reached twice: trees have neither cycles nor shared branches');
      seen[position] = 1;
      if (depth >= treeLimits.depth) throw tooLarge('a tree is too deep', treeLimits.depth);
      waiting.push(listed.falseChild[position] as number, node, depth + 1);
      waiting.push(listed.trueChild[position] as number, -1, depth + 1);
    }
  }
  starts[roots.length] = sequence.length;
  return { sequence, falseChild, starts };
}

/** Weights by leaf, in the file's order within one. */
function byLeaf(listed: ListedTrees): { starts: Int32Array; sorted: Int32Array } {
  const starts = new Int32Array(listed.leaves + 1);
  const count = listed.weightLeaf.length;
  for (let at = 0; at < count; at += 1) {
    const target = listed.weightTarget[at] as number;
    if (!(Number.isInteger(target) && target >= 0 && target < listed.targets))
      throw malformedTrees(`a leaf adds to output ${target} of ${listed.targets}`);
    if (!Number.isFinite(listed.weightValue[at])) throw malformedTrees('a leaf’s weight is not a finite number');
    const leaf = listed.weightLeaf[at] as number;
    starts[leaf + 1] = (starts[leaf + 1] as number) + 1;
  }
  for (let leaf = 0; leaf < listed.leaves; leaf += 1)
    starts[leaf + 1] = (starts[leaf + 1] as number) + (starts[leaf] as number);
  const next = starts.slice();
  const sorted = new Int32Array(count);
  for (let at = 0; at < count; at += 1) {
    const leaf = listed.weightLeaf[at] as number;
    const place = next[leaf] as number;
    sorted[place] = at;
    next[leaf] = place + 1;
  }
  return { starts, sorted };
}
