import { ShoalError } from '@shoal/core';

import { bitCount } from '../games/bit-count';
import { atOnce, type Steps } from '../steps';
import { addLeaf, addLeafPairs } from './add-leaf';
import { backgroundPatterns, type BackgroundPatterns } from './background-patterns';
import { betas } from './betas';
import { evaluateForest, nodeMode } from './forest';
import { failedSlots } from './leaf-paths';
import type { TreeModel } from './read-trees';
import { prepareRow, type Shares, TreeExplainer, type TreeExplainerOptions } from './tree-explainer';

/**
 * Interventional TreeSHAP (Lundberg et al. 2020, Laberge & Pequignot 2022): Shapley values of v(S) = mean over background
 * rows b of f(x_S, b_rest), the same game as KernelSHAP's with that background.
 *
 * For one leaf, x and b: the leaf is reached exactly when all players that only x lets through are present and all that
 * only b lets through are absent, if everyone else lets both through. With u and v of them, a player of the first kind is
 * worth (u−1)!v!/(u+v)! of the leaf's weight, one of the second kind −u!(v−1)!/(u+v)!.
 */
class InterventionalTrees extends TreeExplainer {
  protected readonly expected: Float64Array;
  private patterns: BackgroundPatterns = {
    starts: new Int32Array(),
    failed: new Int32Array(),
    weights: new Float64Array(),
  };
  private readonly table: Float64Array;
  private readonly side: number;
  private readonly failed: Int32Array;
  private readonly shares: Float64Array;
  private readonly pairs: Float64Array;

  constructor(model: TreeModel, options: TreeExplainerOptions) {
    super(model, options, false);
    const { forest, paths } = this;
    this.expected = new Float64Array(forest.outputs);
    this.side = paths.mostSlots + 1;
    this.table = betas(this.side);
    let largest = 0;
    for (let tree = 0; tree + 1 < forest.starts.length; tree += 1)
      largest = Math.max(largest, (forest.starts[tree + 1] as number) - (forest.starts[tree] as number));
    this.failed = new Int32Array(largest * paths.words);
    this.shares = new Float64Array(paths.mostSlots);
    this.pairs = new Float64Array(paths.mostSlots * paths.mostSlots);
  }

  /** Meets the background rows; to be done before rows are explained. */
  *meet(background: ArrayLike<number>, weights: Float64Array): Steps<this> {
    const { model, forest, paths } = this;
    const rows = new Float64Array(background.length);
    const answer = new Float64Array(forest.outputs);
    for (let at = 0; at < weights.length; at += 1) {
      const row = rows.subarray(at * forest.features, (at + 1) * forest.features);
      prepareRow(model, background, at, row);
      evaluateForest(forest, row, answer.fill(0));
      for (const [o, value] of answer.entries())
        this.expected[o] = (this.expected[o] as number) + (weights[at] as number) * value;
      if (at % 8 === 7) yield;
    }
    this.patterns = yield* backgroundPatterns(forest, paths, rows, weights);
    return this;
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
        const at = (node - from) * paths.words;
        const any = paths.words === 1 ? this.shareNarrowLeaf(leaf, at) : this.shareLeaf(leaf, at);
        if (any) addLeaf(forest, paths, leaf, this.shares, into.values);
        if (into.pairs !== undefined && this.pairLeaf(leaf, at))
          addLeafPairs(forest, paths, leaf, this.pairs, into.pairs);
      }
      yield;
    }
  }

  /** As shareLeaf, where slots fit into one word: most of the time is spent here. */
  private shareNarrowLeaf(leaf: number, at: number): boolean {
    const { table, side, shares } = this;
    const { failed, weights, starts } = this.patterns;
    const { slotStarts } = this.paths;
    const end = starts[leaf + 1] as number;
    const own = this.failed[at] as number;
    const v = bitCount(own);
    let absent = 0;
    let any = false;
    for (let pattern = starts[leaf] as number; pattern < end; pattern += 1) {
      const other = failed[pattern] as number;
      if ((other & own) !== 0) continue;
      const u = bitCount(other);
      if (u + v === 0) continue;
      if (!any) shares.fill(0, 0, (slotStarts[leaf + 1] as number) - (slotStarts[leaf] as number));
      any = true;
      const weight = weights[pattern] as number;
      if (v > 0) absent += weight * (table[u * side + v - 1] as number);
      if (u === 0) continue;
      const present = weight * (table[(u - 1) * side + v] as number);
      for (let rest = other; rest !== 0; rest &= rest - 1) {
        const slot = 31 - Math.clz32(rest & -rest);
        shares[slot] = (shares[slot] as number) + present;
      }
    }
    if (absent > 0) this.toBits(this.failed, at, -absent);
    return any;
  }

  /** What each slot of a leaf is worth, per unit of its weight, into `shares`; false: nothing. */
  private shareLeaf(leaf: number, at: number): boolean {
    const { paths, patterns, failed, table, side, shares } = this;
    const { words, slotStarts } = paths;
    const slots = (slotStarts[leaf + 1] as number) - (slotStarts[leaf] as number);
    let v = 0;
    for (let word = 0; word < words; word += 1) v += bitCount(failed[at + word] as number);
    let absent = 0;
    let any = false;
    for (let pattern = patterns.starts[leaf] as number; pattern < (patterns.starts[leaf + 1] as number); pattern += 1) {
      const u = this.meets(pattern, at);
      if (u + v === 0 || u < 0) continue;
      const weight = patterns.weights[pattern] as number;
      if (!any) shares.fill(0, 0, slots);
      any = true;
      if (v > 0) absent += weight * (table[u * side + v - 1] as number);
      if (u > 0) this.toBits(patterns.failed, pattern * words, weight * (table[(u - 1) * side + v] as number));
    }
    if (absent > 0) this.toBits(failed, at, -absent);
    return any;
  }

  /** How many slots only x lets through, for a pattern; −1 when someone lets neither through. */
  private meets(pattern: number, at: number): number {
    const { words } = this.paths;
    let count = 0;
    for (let word = 0; word < words; word += 1) {
      const other = this.patterns.failed[pattern * words + word] as number;
      if ((other & (this.failed[at + word] as number)) !== 0) return -1;
      count += bitCount(other);
    }
    return count;
  }

  private toBits(bits: Int32Array, at: number, value: number): void {
    const { shares } = this;
    for (let word = 0; word < this.paths.words; word += 1)
      for (let rest = bits[at + word] as number; rest !== 0; rest &= rest - 1) {
        const slot = word * 32 + 31 - Math.clz32(rest & -rest);
        shares[slot] = (shares[slot] as number) + value;
      }
  }

  /** As shareLeaf, for pairs of slots i < j, into `pairs`: (u−2)!v!, u!(v−2)! or −(u−1)!(v−1)!, over (u+v−1)!. */
  private pairLeaf(leaf: number, at: number): boolean {
    const { paths, patterns, failed, table, side, pairs } = this;
    const { words, slotStarts } = paths;
    const slots = (slotStarts[leaf + 1] as number) - (slotStarts[leaf] as number);
    let v = 0;
    for (let word = 0; word < words; word += 1) v += bitCount(failed[at + word] as number);
    let any = false;
    for (let pattern = patterns.starts[leaf] as number; pattern < (patterns.starts[leaf + 1] as number); pattern += 1) {
      const u = this.meets(pattern, at);
      if (u < 0 || u + v < 2) continue;
      if (!any) pairs.fill(0, 0, slots * slots);
      any = true;
      const weight = patterns.weights[pattern] as number;
      const both = u < 2 ? 0 : weight * (table[(u - 2) * side + v] as number);
      const neither = v < 2 ? 0 : weight * (table[u * side + v - 2] as number);
      const mixed = u < 1 || v < 1 ? 0 : -weight * (table[(u - 1) * side + v - 1] as number);
      for (let i = 0; i < slots; i += 1) {
        const ofI = kind(failed, at, patterns.failed, pattern * words, i);
        if (ofI === 0) continue;
        for (let j = i + 1; j < slots; j += 1) {
          const sum = ofI + kind(failed, at, patterns.failed, pattern * words, j);
          if (sum === ofI) continue;
          pairs[i * slots + j] = (pairs[i * slots + j] as number) + (sum === 2 ? both : sum === -2 ? neither : mixed);
        }
      }
    }
    return any;
  }
}

/** 1: only the row lets the slot's player through; −1: only the background does; 0: both. */
function kind(row: Int32Array, at: number, background: Int32Array, pattern: number, slot: number): number {
  const word = slot >> 5;
  const bit = slot & 31;
  return (((background[pattern + word] as number) >>> bit) & 1) - (((row[at + word] as number) >>> bit) & 1);
}

export interface InterventionalOptions extends TreeExplainerOptions {
  /** [rows]: how much each background row counts; without: all the same. */
  readonly weights?: ArrayLike<number>;
}

/**
 * Interventional TreeSHAP against background rows, [rows × features] of feature values. Throws INVALID_ARGUMENT when they are
 * not whole rows, or weights are negative or all zero.
 */
export function interventionalTrees(
  model: TreeModel,
  background: ArrayLike<number>,
  options: InterventionalOptions = {},
): TreeExplainer {
  return atOnce(interventionalSteps(model, background, options));
}

/** As {@link interventionalTrees}, in steps: of large ensembles and many rows it takes seconds to get ready. */
export function* interventionalSteps(
  model: TreeModel,
  background: ArrayLike<number>,
  options: InterventionalOptions = {},
): Steps<TreeExplainer> {
  const { features } = model.forest;
  const rows = background.length / features;
  if (!(Number.isInteger(rows) && rows > 0))
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `the background has ${background.length} values: expected one or more rows of ${features}`,
    );
  const weights = Float64Array.from(options.weights ?? { length: rows }, (weight) => (options.weights ? weight : 1));
  let sum = 0;
  for (const weight of weights) sum += weight >= 0 ? weight : Number.NaN;
  if (weights.length !== rows || !(sum > 0 && sum < Infinity))
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `background weights are ${weights.length} numbers for ${rows} rows: expected one each, not negative, not all zero`,
    );
  return yield* new InterventionalTrees(model, options).meet(
    background,
    weights.map((weight) => weight / sum),
  );
}
