import { seededRandom, ShoalError } from '@shoal/core';
import { type Attribution, attribution, pairSum, type ShapleyResult } from '../attribution';
import type { Estimator } from '../estimator';
import { Looks, requireBudget, type SamplingOptions, settled } from '../games/convergence';
import { Moments } from '../games/moments';
import { type CoalitionPlan, estimatorOf } from '../games/plan';
import { identity, shuffleFront } from '../games/shuffle';
import type { InteractionIndex } from './exact';

export interface InteractionOptions extends SamplingOptions {
  readonly index: InteractionIndex;
}

/** Permutations drawn before an error is believed. */
const leastBelieved = 10;

/**
 * A position in the triangle of one permutation: rows a = 1…n−2 hold the prefix of length a joined by each later player in
 * turn. Together with the ends and the n single players (evaluated once), a triangle gives every pair one second difference.
 */
class Triangle {
  private readonly random;
  readonly order: Int32Array;
  row = 1;
  column = 1;

  constructor(players: number, seed: number) {
    this.random = seededRandom(seed);
    this.order = identity(players);
  }

  get atStart(): boolean {
    return this.row === 1 && this.column === 1;
  }

  /** Draws the permutation of a triangle that is about to start. */
  draw(): void {
    if (this.atStart) shuffleFront(this.order, this.order.length, this.random);
  }

  /** To the next coalition. */
  advance(): void {
    const n = this.order.length;
    if (++this.column < n) return;
    if (++this.row > n - 2) this.row = 1;
    this.column = this.row;
  }
}

class InteractionPlan implements CoalitionPlan {
  readonly players: number;
  private readonly index: InteractionIndex;
  private readonly targetError: number | undefined;
  private readonly triangles: number;
  private readonly looks = new Looks(leastBelieved);
  private readonly ahead: Triangle;
  private readonly behind: Triangle;
  private singlesWritten = 0;
  private singlesTaken = 0;
  private written = 0;
  private outputs = 0;
  private base: Float64Array = new Float64Array(0);
  private full: Float64Array = new Float64Array(0);
  /** [players × outputs]: v({p}). */
  private singles: Float64Array = new Float64Array(0);
  /** Row a−1 and row a of the triangle, by position, [players × outputs]. */
  private above: Float64Array = new Float64Array(0);
  private below: Float64Array = new Float64Array(0);
  /** v(prefix of the row above), [outputs]. */
  private prefix: Float64Array = new Float64Array(0);
  /** Of one permutation, per output: [players] values, then [players × players] interactions. */
  private current: Float64Array = new Float64Array(0);
  private moments = new Moments(0);
  private converged = false;
  done = false;

  constructor(options: InteractionOptions) {
    const n = options.players;
    this.players = n;
    this.index = options.index;
    this.targetError = options.targetError;
    this.triangles = n < 3 ? 0 : Math.floor((options.budget - 2 - n) / triangleSize(n));
    this.ahead = new Triangle(n, options.seed);
    this.behind = new Triangle(n, options.seed);
  }

  begin(base: Float64Array, full: Float64Array): void {
    const n = this.players;
    this.outputs = base.length;
    this.base = base;
    this.full = full;
    this.singles = new Float64Array(n * base.length);
    this.above = new Float64Array(n * base.length);
    this.below = new Float64Array(n * base.length);
    this.prefix = base.slice();
    this.current = new Float64Array(base.length * n * (n + 1));
    this.moments = new Moments(this.current.length);
  }

  write(masks: Uint8Array, at: number): boolean {
    if (this.singlesWritten < this.players) {
      masks[at + this.singlesWritten++] = 1;
      return true;
    }
    const { ahead } = this;
    if (this.written === this.triangles) return false;
    ahead.draw();
    for (let k = 0; k < ahead.row; k++) masks[at + (ahead.order[k] as number)] = 1;
    masks[at + (ahead.order[ahead.column] as number)] = 1;
    ahead.advance();
    if (ahead.atStart) this.written++;
    return true;
  }

  take(_mask: Uint8Array, values: Float64Array): void {
    if (this.singlesTaken < this.players) {
      this.singles.set(values, this.singlesTaken++ * this.outputs);
      if (this.singlesTaken < this.players || this.players > 2) return;
      this.behind.draw();
      this.startTriangle();
      this.finishTriangle();
      this.done = true;
      return;
    }
    const { behind } = this;
    if (behind.atStart) {
      behind.draw();
      this.startTriangle();
    }
    this.below.set(values, behind.column * this.outputs);
    const { row } = behind;
    behind.advance();
    if (behind.column === behind.row) this.finishRow(row);
    if (behind.atStart) this.finishTriangle();
  }

  private startTriangle(): void {
    this.prefix.set(this.base);
    for (let k = 0; k < this.players; k++) {
      const from = (this.behind.order[k] as number) * this.outputs;
      this.above.set(this.singles.subarray(from, from + this.outputs), k * this.outputs);
    }
  }

  /** Row `row` is complete (below), as is the one before it (above): the player between them meets all later ones. */
  private finishRow(row: number): void {
    const { players: n, outputs, above, below, prefix } = this;
    const { order } = this.behind;
    const a = row - 1;
    const i = order[a] as number;
    // The prefix is that of the Taylor index; the Shapley index wants each of its lengths equally often.
    const weight = this.index === 'stii' ? 1 : n / (2 * (n - row));
    for (let o = 0; o < outputs; o++) {
      const before = prefix[o] as number;
      const joined = above[a * outputs + o] as number;
      const from = o * n * (n + 1);
      this.current[from + i] = joined - before;
      for (let k = row; k < n; k++) {
        const j = order[k] as number;
        const second = (below[k * outputs + o] as number) - joined - (above[k * outputs + o] as number) + before;
        this.current[from + n + i * n + j] = this.current[from + n + j * n + i] = weight * second;
      }
      prefix[o] = joined;
    }
    this.above = below;
    this.below = above;
  }

  private finishTriangle(): void {
    const { players: n, outputs } = this;
    // The last row is v(all).
    this.below.set(this.full, (n - 1) * outputs);
    this.finishRow(n - 1);
    const last = this.behind.order[n - 1] as number;
    for (let o = 0; o < outputs; o++) {
      this.current[o * n * (n + 1) + last] = (this.full[o] as number) - (this.prefix[o] as number);
      this.adjustValues(o);
    }
    this.moments.add(this.current);
    const { targetError } = this;
    const end = this.moments.count === this.triangles;
    if (targetError !== undefined && (this.looks.due(this.moments.count) || (end && this.triangles >= leastBelieved)))
      this.converged = this.base.every((_, o) => {
        const [from, to] = [o * n * (n + 1), (o + 1) * n * (n + 1)];
        return settled(this.moments.mean.subarray(from, to), this.moments.errors(from, to), targetError);
      });
    this.done = end || this.converged;
  }

  /** From marginal contributions to what the index says of a single player. */
  private adjustValues(o: number): void {
    const n = this.players;
    const from = o * n * (n + 1);
    for (let i = 0; i < n; i++) {
      const alone = (this.singles[i * this.outputs + o] as number) - (this.base[o] as number);
      if (this.index === 'stii') this.current[from + i] = alone;
      // Two players: both their orders are known.
      else if (n === 2) this.current[from + i] = alone + (this.current[from + n + 1] as number) / 2;
      if (this.index !== 'k-sii') continue;
      for (let j = 0; j < n; j++)
        this.current[from + i] =
          (this.current[from + i] as number) - (this.current[from + n + i * n + j] as number) / 2;
    }
  }

  result(evaluations: number): ShapleyResult | undefined {
    if (this.moments.count === 0) return undefined;
    const { players: n, moments } = this;
    const exact = n === 2;
    const outputs: Attribution[] = [];
    const interactions: Float64Array[] = [];
    const interactionErrors: Float64Array[] = [];
    for (let o = 0; o < this.outputs; o++) {
      const from = o * n * (n + 1);
      const pairs = moments.mean.slice(from + n, from + n + n * n);
      interactions.push(pairs);
      if (!exact) interactionErrors.push(moments.errors(from + n, from + n + n * n));
      const shared = this.index === 'sii' ? 0 : pairSum(pairs);
      const errors = exact ? undefined : moments.errors(from, from + n);
      const [base, full] = [this.base[o] as number, this.full[o] as number];
      outputs.push(attribution(moments.mean.slice(from, from + n), errors, base, full, shared));
    }
    const stopReason = exact ? 'exact' : this.converged ? 'target_error' : 'budget';
    const how = { exact, converged: exact || this.converged, stopReason, evaluations } as const;
    return exact ? { outputs, interactions, ...how } : { outputs, interactions, interactionErrors, ...how };
  }
}

/** Coalitions of one permutation, the ends and the single players apart. */
function triangleSize(players: number): number {
  return (players * (players - 1)) / 2 - 1;
}

/**
 * Pairwise interactions beyond the reach of {@link exact}, from random permutations of n(n−1)/2−1 evaluations each. The
 * Shapley-Taylor index adds up exactly whatever the budget; the Shapley index weighs the same second differences by prefix
 * length. Standard errors are of the permutations' mean, NaN before the second.
 */
export function sampledInteractions(options: InteractionOptions): Estimator<ShapleyResult> {
  const { players } = options;
  if (players < 2) throw new ShoalError('INVALID_ARGUMENT', `an interaction needs two players, got ${players}`);
  requireBudget(
    'sampled interactions',
    options.budget,
    players === 2 ? 4 : 2 + players + triangleSize(players),
    players,
  );
  return estimatorOf(new InteractionPlan(options));
}
