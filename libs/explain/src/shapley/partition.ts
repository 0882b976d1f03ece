import { type HeapItem, IndexedHeap, ShoalError } from '@shoal/core';
import { attribution, type ShapleyResult } from '../attribution';
import type { Estimator } from '../estimator';
import { requireBudget } from '../games/convergence';
import { type CoalitionPlan, estimatorOf } from '../games/plan';

/** A binary tree over the players: a leaf is a player, each of them once. */
export type FeatureTree = number | readonly [FeatureTree, FeatureTree];

export interface PartitionOptions {
  readonly players: number;
  readonly tree: FeatureTree;
  /** Most coalitions evaluated, v(∅) and v(all) among them. */
  readonly budget: number;
}

/** Nodes split at a time: what of a round is outstanding can be evaluated together, and the choice of the next waits for it. */
const splitsPerRound = 16;

interface TreeNode {
  readonly members: readonly number[];
  readonly halves: readonly [TreeNode, TreeNode] | undefined;
}

/** A node beside one coalition of the others: what it adds there is still to be divided among its members. */
interface Split extends HeapItem {
  readonly node: TreeNode;
  /** The coalition without the node's members. */
  readonly context: Uint8Array;
  readonly weight: number;
  /** [outputs]: without and with the node. */
  readonly without: Float64Array;
  readonly with: Float64Array;
}

class PartitionPlan implements CoalitionPlan {
  readonly players: number;
  private readonly root: TreeNode;
  private readonly queue = new IndexedHeap<Split>();
  /** What is still to be divided, in the order it came up. */
  private readonly open = new Set<Split>();
  private round: Split[] = [];
  private written = 0;
  private taken = 0;
  /** The values and the coalition of the first half of the split under way. */
  private first: Float64Array = new Float64Array(0);
  private firstMask: Uint8Array = new Uint8Array(0);
  private left: number;
  private base: Float64Array = new Float64Array(0);
  private full: Float64Array = new Float64Array(0);
  /** [outputs × players]. */
  private values: Float64Array = new Float64Array(0);
  done = false;

  constructor(players: number, root: TreeNode, budget: number) {
    this.players = players;
    this.root = root;
    this.left = budget - 2;
  }

  begin(base: Float64Array, full: Float64Array): void {
    this.base = base;
    this.full = full;
    this.values = new Float64Array(base.length * this.players);
    this.divide(this.root, new Uint8Array(this.players), 1, base, full);
    this.startRound();
  }

  private divide(node: TreeNode, context: Uint8Array, weight: number, without: Float64Array, full: Float64Array): void {
    if (node.halves === undefined) {
      this.credit(this.values, node, weight, without, full);
      return;
    }
    let effect = 0;
    for (let o = 0; o < full.length; o++)
      effect = Math.max(effect, Math.abs((full[o] as number) - (without[o] as number)));
    const split: Split = { node, context, weight, without, with: full, heapKey: 0, heapIndex: -1 };
    this.open.add(split);
    this.queue.set(split, -weight * effect);
  }

  /** Adds an effect to the members' values in equal parts. */
  private credit(to: Float64Array, node: TreeNode, weight: number, without: Float64Array, full: Float64Array): void {
    const part = weight / node.members.length;
    for (let o = 0; o < full.length; o++) {
      const each = part * ((full[o] as number) - (without[o] as number));
      for (const p of node.members) to[o * this.players + p] = (to[o * this.players + p] as number) + each;
    }
  }

  private startRound(): void {
    this.round = [];
    this.written = 0;
    this.taken = 0;
    while (this.round.length < splitsPerRound && this.left >= 2) {
      const split = this.queue.first;
      if (split === undefined) break;
      this.queue.delete(split);
      this.round.push(split);
      this.left -= 2;
    }
    this.done = this.round.length === 0;
  }

  write(masks: Uint8Array, at: number): boolean {
    const split = this.round[this.written >> 1];
    if (split?.node.halves === undefined) return false;
    masks.set(split.context, at);
    for (const p of split.node.halves[(this.written & 1) as 0 | 1].members) masks[at + p] = 1;
    this.written++;
    return true;
  }

  take(mask: Uint8Array, values: Float64Array): void {
    const split = this.round[this.taken >> 1];
    if (split?.node.halves === undefined) return;
    if ((this.taken++ & 1) === 0) {
      this.first = values.slice();
      this.firstMask = mask.slice();
      return;
    }
    const [left, right] = split.node.halves;
    const [withLeft, withRight] = [this.first, values.slice()];
    const half = split.weight / 2;
    this.open.delete(split);
    this.divide(left, split.context, half, split.without, withLeft);
    this.divide(left, mask.slice(), half, withRight, split.with);
    this.divide(right, split.context, half, split.without, withRight);
    this.divide(right, this.firstMask, half, withLeft, split.with);
    if (this.taken === 2 * this.round.length) this.startRound();
  }

  result(evaluations: number): ShapleyResult {
    const values = this.values.slice();
    for (const split of this.open) this.credit(values, split.node, split.weight, split.without, split.with);
    const exact = this.open.size === 0;
    const outputs = Array.from(this.base, (base, o) => {
      const own = values.slice(o * this.players, (o + 1) * this.players);
      const unknown = exact ? undefined : new Float64Array(this.players).fill(Number.NaN);
      return attribution(own, unknown, base, this.full[o] as number);
    });
    return { outputs, exact, converged: exact, stopReason: exact ? 'exact' : 'budget', evaluations };
  }
}

function compile(tree: FeatureTree): TreeNode {
  if (typeof tree === 'number') return { members: [tree], halves: undefined };
  const halves = [compile(tree[0]), compile(tree[1])] as const;
  return { members: [...halves[0].members, ...halves[1].members], halves };
}

/** A balanced tree over 0…players−1 in their order: for features of which neighbours belong together. */
export function balancedTree(players: number, from = 0): FeatureTree {
  if (players <= 1) return from;
  const left = Math.ceil(players / 2);
  return [balancedTree(left, from), balancedTree(players - left, from + left)];
}

/**
 * Owen values over a binary feature tree: each node's effect is shared by its halves (half of it beside the other half,
 * half without), the largest effect first, until the budget is spent; what was not divided then is shared out equally.
 * Values add up exactly whatever the budget. Standard errors are NaN until the tree is divided to the end, which makes
 * the values exact for this tree.
 */
export function partition(options: PartitionOptions): Estimator<ShapleyResult> {
  const root = compile(options.tree);
  const members = root.members.toSorted((a, b) => a - b);
  if (members.length !== options.players || !members.every((p, i) => p === i))
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `the feature tree must hold each of the players 0 to ${options.players - 1} once`,
    );
  requireBudget('the partition method', options.budget, 2, options.players);
  return estimatorOf(new PartitionPlan(options.players, root, options.budget));
}
