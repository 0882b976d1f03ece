import { ShoalError } from '@shoal/core';
import { attribution, type ShapleyResult } from '../attribution';
import type { Estimator } from '../estimator';
import { bitCount } from '../games/bit-count';
import { shapleyWeight } from '../games/coalitions';
import { type CoalitionPlan, estimatorOf } from '../games/plan';

/** Most coalitions that exact Owen values may take. */
const mostCoalitions = 2 ** 20;

/** A partition of the players: each of 0…players−1 in one group. */
export type Groups = readonly (readonly number[])[];

/**
 * Coalitions of whole groups first, 2^groups of them but the ends; then, for each group, each of its inner coalitions (not
 * empty, not whole) joined with each coalition of the other groups.
 */
class OwenPlan implements CoalitionPlan {
  readonly players: number;
  private readonly groups: Groups;
  private readonly ahead: Cursor;
  private readonly behind: Cursor;
  private left: number;
  private base: Float64Array = new Float64Array(0);
  private full: Float64Array = new Float64Array(0);
  /** [outputs × players]. */
  private values: Float64Array = new Float64Array(0);

  constructor(players: number, groups: Groups) {
    this.players = players;
    this.groups = groups;
    this.ahead = new Cursor(groups);
    this.behind = new Cursor(groups);
    this.left = coalitionCount(groups) - 2;
  }

  get done(): boolean {
    return this.left === 0;
  }

  begin(base: Float64Array, full: Float64Array): void {
    this.base = base;
    this.full = full;
    this.values = new Float64Array(base.length * this.players);
    // v(∅) itself is the origin of all values, so it adds nothing.
    this.creditGroups(2 ** this.groups.length - 1, full);
  }

  write(masks: Uint8Array, at: number): boolean {
    const { ahead, groups } = this;
    if (!ahead.advance()) return false;
    for (const [g, members] of groups.entries()) {
      if (g === ahead.group) for (const [k, p] of members.entries()) masks[at + p] = (ahead.inner >>> k) & 1;
      else if (((ahead.outer >>> g) & 1) === 1) for (const p of members) masks[at + p] = 1;
    }
    return true;
  }

  take(_mask: Uint8Array, values: Float64Array): void {
    const { behind } = this;
    behind.advance();
    this.left--;
    if (behind.group < 0) this.creditGroups(behind.outer, values);
    else this.credit(behind.group, behind.outer, behind.inner, values);
  }

  /** A coalition of whole groups is, to each group, its own empty or whole coalition beside the others. */
  private creditGroups(outer: number, values: Float64Array): void {
    for (const [g, members] of this.groups.entries()) {
      const present = ((outer >>> g) & 1) === 1;
      this.credit(g, outer & ~(1 << g), present ? 2 ** members.length - 1 : 0, values);
    }
  }

  private credit(group: number, outer: number, inner: number, values: Float64Array): void {
    const members = this.groups[group] as readonly number[];
    const outside = shapleyWeight(this.groups.length, bitCount(outer));
    const size = bitCount(inner);
    for (const [k, p] of members.entries()) {
      const present = ((inner >>> k) & 1) === 1;
      const weight =
        outside * (present ? shapleyWeight(members.length, size - 1) : -shapleyWeight(members.length, size));
      for (let o = 0; o < values.length; o++) {
        const at = o * this.players + p;
        this.values[at] = (this.values[at] as number) + weight * ((values[o] as number) - (this.base[o] as number));
      }
    }
  }

  result(evaluations: number): ShapleyResult | undefined {
    if (!this.done) return undefined;
    const outputs = Array.from(this.base, (base, o) =>
      attribution(this.values.slice(o * this.players, (o + 1) * this.players), undefined, base, this.full[o] as number),
    );
    return { outputs, exact: true, converged: true, stopReason: 'exact', evaluations };
  }
}

/** Goes through the coalitions in their order. */
class Cursor {
  private readonly groups: Groups;
  /** −1: coalitions of whole groups. */
  group = -1;
  /** Bits of the groups that are present whole; that of `group` itself is 0. */
  outer = 0;
  /** Bits of the members of `group` that are present. */
  inner = 0;

  constructor(groups: Groups) {
    this.groups = groups;
  }

  /** To the next; false at the end. */
  advance(): boolean {
    const count = this.groups.length;
    if (this.group < 0) {
      if (++this.outer < 2 ** count - 1) return true;
      return this.startGroup(0);
    }
    const members = (this.groups[this.group] as readonly number[]).length;
    if (++this.inner < 2 ** members - 1) return true;
    this.inner = 1;
    const self = 1 << this.group;
    // The next number without this group's bit.
    this.outer = ((this.outer | self) + 1) & ~self;
    if (this.outer < 2 ** count) return true;
    return this.startGroup(this.group + 1);
  }

  private startGroup(from: number): boolean {
    this.group = from;
    while (this.group < this.groups.length && (this.groups[this.group] as readonly number[]).length < 2) this.group++;
    this.outer = 0;
    this.inner = 1;
    return this.group < this.groups.length;
  }
}

function coalitionCount(groups: Groups): number {
  const outer = 2 ** (groups.length - 1);
  return groups.reduce((sum, { length }) => sum + outer * (2 ** length - 2), 2 * outer);
}

/**
 * Exact Owen values (Owen 1977): groups share the difference by their Shapley values among each other, and each group's
 * share is divided among its members, who join the other groups' coalitions one by one. INVALID_ARGUMENT unless the groups
 * partition the players, and beyond 2^20 coalitions.
 */
export function owen(options: { readonly players: number; readonly groups: Groups }): Estimator<ShapleyResult> {
  const { players, groups } = options;
  const seen = new Set(groups.flat());
  const fits = groups.flat().length === players && seen.size === players && groups.every(({ length }) => length > 0);
  if (!fits || ![...seen].every((p) => Number.isInteger(p) && p >= 0 && p < players))
    throw new ShoalError('INVALID_ARGUMENT', `the groups must hold each of the players 0 to ${players - 1} once`);
  const count = coalitionCount(groups);
  if (count > mostCoalitions)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `exact Owen values of these groups take ${count} coalitions, more than ${mostCoalitions}: use a feature tree with a budget`,
    );
  return estimatorOf(new OwenPlan(players, groups));
}
