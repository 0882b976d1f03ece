/** How a node compares its feature with its threshold, numbered as in TreeEnsemble version 5. */
export const nodeMode = { leq: 0, lt: 1, gte: 2, gt: 3, eq: 4, neq: 5, member: 6, leaf: 7 } as const;

/**
 * Tree ensembles that are summed, as flat arrays. Nodes are in preorder, tree after tree: a branch's true child is the next
 * node, and every node comes after its parent, so whatever is known from the root down takes one pass.
 */
export interface Forest {
  readonly features: number;
  readonly outputs: number;
  /** First node of each tree, ascending; and behind it the number of nodes. */
  readonly starts: Int32Array;
  /** A value of {@link nodeMode}. */
  readonly mode: Uint8Array;
  /** Feature that a branch looks at; the leaf's number for a leaf. */
  readonly feature: Int32Array;
  /** Of a `member` branch: where its values begin in `members`. */
  readonly threshold: Float64Array;
  /** 1: a missing value (NaN) goes to the true child whatever the comparison says. */
  readonly missing: Uint8Array;
  readonly falseChild: Int32Array;
  /** Training rows (or their weight) that reached each node; undefined when the file does not say. */
  readonly cover: Float64Array | undefined;
  /** Leaf l adds `weights[at]` to output `targets[at]` for at from weightStarts[l] to weightStarts[l + 1]. */
  readonly weightStarts: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float64Array;
  /** Sets of `member` branches, each ended by NaN. */
  readonly members: Float64Array;
  /** [outputs], what all rows have before any tree. */
  readonly base: Float64Array;
}

/** Whether a row goes to the branch's true child. ONNX Runtime compares in the same way. */
export function goesTrue(forest: Forest, node: number, row: Float64Array): boolean {
  const value = row[forest.feature[node] as number] as number;
  const threshold = forest.threshold[node] as number;
  if (value !== value && forest.missing[node] === 1) return true;
  switch (forest.mode[node]) {
    case nodeMode.leq:
      return value <= threshold;
    case nodeMode.lt:
      return value < threshold;
    case nodeMode.gte:
      return value >= threshold;
    case nodeMode.gt:
      return value > threshold;
    case nodeMode.eq:
      return value === threshold;
    case nodeMode.neq:
      return value !== threshold;
    default:
      for (let at = threshold; ; at += 1) {
        const member = forest.members[at] as number;
        if (member === value) return true;
        if (member !== member) return false;
      }
  }
}

/** Adds every tree's leaf for a row to [outputs], the base included. */
export function evaluateForest(forest: Forest, row: Float64Array, into: Float64Array): void {
  const { base, starts, mode, feature, falseChild, weightStarts, targets, weights } = forest;
  for (let o = 0; o < base.length; o += 1) into[o] = (into[o] as number) + (base[o] as number);
  for (let tree = 0; tree + 1 < starts.length; tree += 1) {
    let node = starts[tree] as number;
    while (mode[node] !== nodeMode.leaf) node = goesTrue(forest, node, row) ? node + 1 : (falseChild[node] as number);
    const leaf = feature[node] as number;
    for (let at = weightStarts[leaf] as number; at < (weightStarts[leaf + 1] as number); at += 1) {
      const o = targets[at] as number;
      into[o] = (into[o] as number) + (weights[at] as number);
    }
  }
}
