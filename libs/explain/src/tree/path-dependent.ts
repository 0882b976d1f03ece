import { ShoalError } from '@shoal/core';

import { gaussLegendre, type Quadrature } from '../gradient/gauss-legendre';
import type { Steps } from '../steps';
import { addLeaf, addLeafPairs } from './add-leaf';
import { nodeMode } from './forest';
import { failedSlots } from './leaf-paths';
import type { TreeModel } from './read-trees';
import { type Shares, TreeExplainer, type TreeExplainerOptions } from './tree-explainer';

/** How far the covers of two children may be from their parent's: files keep them as float32, and some round them. */
const coverTolerance = 1e-3;

/**
 * Why path-dependent TreeSHAP cannot be had of a model; undefined: it can. It needs the number of training rows that reached
 * each node (`nodes_hitrates`), which most converters fill with ones.
 */
export function pathDependentObstacle(model: TreeModel): string | undefined {
  const { cover, mode, falseChild } = model.forest;
  if (cover === undefined)
    return 'the model file does not say how many training rows reached each node (nodes_hitrates)';
  for (let node = 0; node < mode.length; node += 1) {
    const here = cover[node] as number;
    if (!(here > 0 && here < Infinity))
      return 'a node of the model says that no training row reached it (nodes_hitrates)';
    if (mode[node] === nodeMode.leaf) continue;
    const below = (cover[node + 1] as number) + (cover[falseChild[node] as number] as number);
    if (!(Math.abs(below - here) <= coverTolerance * here))
      return 'the nodes_hitrates of the model are no counts of training rows: those of two children do not add up to their parent’s';
  }
  return undefined;
}

/**
 * Path-dependent TreeSHAP (Lundberg et al. 2020): an absent player goes both ways at each of its nodes, in the shares of the
 * training rows. For one leaf that is a product over its players of p (does x go its way, 0 or 1) for present ones and r (the
 * share that goes its way) for absent ones, whose Shapley values are (p − r)·∫₀¹ Π over others of (t·p + (1 − t)·r) dt (Owen's
 * integral over the multilinear extension). The polynomial is integrated exactly, and without the divisions that make the
 * usual recursion unstable.
 */
class PathDependentTrees extends TreeExplainer {
  protected readonly expected: Float64Array;
  private readonly rules: (Quadrature | undefined)[] = [];
  private readonly failed: Int32Array;
  private readonly shares: Float64Array;
  private readonly pairs: Float64Array;
  private readonly present: Float64Array;
  private readonly factors: Float64Array;
  private readonly behind: Float64Array;

  constructor(model: TreeModel, options: TreeExplainerOptions) {
    super(model, options, true);
    const { forest, paths } = this;
    const { mostSlots } = paths;
    this.failed = new Int32Array(forest.mode.length * paths.words);
    this.shares = new Float64Array(mostSlots);
    this.pairs = new Float64Array(mostSlots * mostSlots);
    this.present = new Float64Array(mostSlots);
    this.factors = new Float64Array(mostSlots);
    this.behind = new Float64Array(mostSlots + 1);
    this.expected = forest.base.slice();
    for (let leaf = 0; leaf + 1 < forest.weightStarts.length; leaf += 1) {
      let share = 1;
      for (let slot = paths.slotStarts[leaf] as number; slot < (paths.slotStarts[leaf + 1] as number); slot += 1)
        share *= paths.shares[slot] as number;
      for (let at = forest.weightStarts[leaf] as number; at < (forest.weightStarts[leaf + 1] as number); at += 1) {
        const o = forest.targets[at] as number;
        this.expected[o] = (this.expected[o] as number) + share * (forest.weights[at] as number);
      }
    }
  }

  protected *share(row: Float64Array, into: Shares): Steps<void> {
    const { forest, paths, failed } = this;
    const { mode, feature, starts } = forest;
    for (let tree = 0; tree + 1 < starts.length; tree += 1) {
      const from = starts[tree] as number;
      const to = starts[tree + 1] as number;
      failedSlots(forest, paths, row, from, to, failed);
      for (let node = from; node < to; node += 1) {
        if (mode[node] !== nodeMode.leaf) continue;
        const leaf = feature[node] as number;
        this.integrate(leaf, (node - from) * paths.words, into.pairs !== undefined);
        addLeaf(forest, paths, leaf, this.shares, into.values);
        if (into.pairs !== undefined) addLeafPairs(forest, paths, leaf, this.pairs, into.pairs);
      }
      yield;
    }
  }

  /** What each slot, and each pair of slots, of a leaf is worth per unit of its weight. */
  private integrate(leaf: number, at: number, wantPairs: boolean): void {
    const { paths, failed, shares, pairs, present, factors, behind } = this;
    const first = paths.slotStarts[leaf] as number;
    const slots = (paths.slotStarts[leaf + 1] as number) - first;
    shares.fill(0, 0, slots);
    if (wantPairs) pairs.fill(0, 0, slots * slots);
    for (let slot = 0; slot < slots; slot += 1)
      present[slot] = 1 - (((failed[at + (slot >> 5)] as number) >>> (slot & 31)) & 1);
    const rule = this.rule(slots);
    for (let step = 0; step < rule.nodes.length; step += 1) {
      const t = rule.nodes[step] as number;
      behind[slots] = 1;
      for (let slot = slots - 1; slot >= 0; slot -= 1) {
        const share = paths.shares[first + slot] as number;
        factors[slot] = t * (present[slot] as number) + (1 - t) * share;
        behind[slot] = (behind[slot + 1] as number) * (factors[slot] as number);
      }
      let before = rule.weights[step] as number;
      for (let i = 0; i < slots; i += 1) {
        const gain = (present[i] as number) - (paths.shares[first + i] as number);
        shares[i] = (shares[i] as number) + gain * before * (behind[i + 1] as number);
        if (wantPairs) {
          let between = gain * before;
          for (let j = i + 1; j < slots; j += 1) {
            const other = (present[j] as number) - (paths.shares[first + j] as number);
            pairs[i * slots + j] = (pairs[i * slots + j] as number) + between * other * (behind[j + 1] as number);
            between *= factors[j] as number;
          }
        }
        before *= factors[i] as number;
      }
    }
  }

  /** Exact for products of all slots but one: polynomials of degree slots − 1. */
  private rule(slots: number): Quadrature {
    return (this.rules[slots] ??= gaussLegendre(Math.max(1, Math.ceil(slots / 2))));
  }
}

/** Path-dependent TreeSHAP; needs no background. Throws FAILED_PRECONDITION with the {@link pathDependentObstacle}. */
export function pathDependentTrees(model: TreeModel, options: TreeExplainerOptions = {}): TreeExplainer {
  const obstacle = pathDependentObstacle(model);
  if (obstacle !== undefined)
    throw new ShoalError(
      'FAILED_PRECONDITION',
      `path-dependent TreeSHAP is not possible: ${obstacle}; use interventional TreeSHAP with a background`,
    );
  return new PathDependentTrees(model, options);
}
