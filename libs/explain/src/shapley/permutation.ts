import { seededRandom } from '@shoal/core';
import { attribution, type ShapleyResult } from '../attribution';
import type { Estimator } from '../estimator';
import { Looks, requireBudget, type SamplingOptions, settled } from '../games/convergence';
import { Moments } from '../games/moments';
import { type CoalitionPlan, estimatorOf } from '../games/plan';
import { identity, shuffleFront } from '../games/shuffle';

/** Permutations drawn before an error is believed: a few that happen to agree prove nothing. */
const leastBelieved = 10;

/** One permutation after another, the same for the same seed: one copy writes coalitions, another knows them when told. */
class Walk {
  private readonly random;
  readonly order: Int32Array;
  /** Steps taken, of 2(n−1): forwards from ∅, then the same order backwards from ∅. */
  step = 0;

  constructor(players: number, seed: number) {
    this.random = seededRandom(seed);
    this.order = identity(players);
  }

  /** The player added by the next step; `first`: to ∅. */
  advance(): { readonly player: number; readonly first: boolean; readonly last: boolean } {
    const n = this.order.length;
    if (this.step === 0) shuffleFront(this.order, n, this.random);
    const k = this.step % (n - 1);
    const forwards = this.step < n - 1;
    this.step = (this.step + 1) % (2 * (n - 1));
    return { player: this.order[forwards ? k : n - 1 - k] as number, first: k === 0, last: k === n - 2 };
  }

  /** The one player whom the pass that has just ended left out. */
  rest(): number {
    const n = this.order.length;
    return this.order[this.step === 0 ? 0 : n - 1] as number;
  }
}

class PermutationPlan implements CoalitionPlan {
  readonly players: number;
  private readonly pairs: number;
  private readonly targetError: number | undefined;
  private readonly looks = new Looks(leastBelieved);
  private readonly ahead: Walk;
  private readonly behind: Walk;
  private readonly present: Uint8Array;
  private written = 0;
  private base: Float64Array = new Float64Array(0);
  private full: Float64Array = new Float64Array(0);
  private previous: Float64Array = new Float64Array(0);
  /** [outputs × players]: mean marginal contribution of the pair under way. */
  private current: Float64Array = new Float64Array(0);
  private moments = new Moments(0);
  private converged = false;
  done = false;

  constructor(options: SamplingOptions) {
    const n = options.players;
    this.players = n;
    this.pairs = Math.floor((options.budget - 2) / (2 * (n - 1)));
    this.targetError = options.targetError;
    this.ahead = new Walk(n, options.seed);
    this.behind = new Walk(n, options.seed);
    this.present = new Uint8Array(n);
  }

  begin(base: Float64Array, full: Float64Array): void {
    this.base = base;
    this.full = full;
    this.previous = base.slice();
    this.current = new Float64Array(base.length * this.players);
    this.moments = new Moments(base.length * this.players);
    if (this.players === 1) this.done = true;
  }

  write(masks: Uint8Array, at: number): boolean {
    if (this.ahead.step === 0 && this.written === this.pairs) return false;
    const { player, first } = this.ahead.advance();
    if (first) this.present.fill(0);
    this.present[player] = 1;
    masks.set(this.present, at);
    if (this.ahead.step === 0) this.written++;
    return true;
  }

  take(_mask: Uint8Array, values: Float64Array): void {
    const { player, first, last } = this.behind.advance();
    this.credit(player, values, first ? this.base : this.previous);
    this.previous.set(values);
    if (!last) return;
    this.credit(this.behind.rest(), this.full, values);
    if (this.behind.step !== 0) return;
    this.moments.add(this.current);
    this.current.fill(0);
    const { targetError } = this;
    const end = this.moments.count === this.pairs;
    if (targetError !== undefined && (this.looks.due(this.moments.count) || (end && this.pairs >= leastBelieved)))
      this.converged = this.base.every((_, o) => settled(this.values(o), this.errors(o), targetError));
    this.done = end || this.converged;
  }

  private credit(player: number, after: Float64Array, before: Float64Array): void {
    for (let o = 0; o < after.length; o++) {
      const at = o * this.players + player;
      this.current[at] = (this.current[at] as number) + ((after[o] as number) - (before[o] as number)) / 2;
    }
  }

  private values(o: number): Float64Array {
    if (this.players === 1) return Float64Array.of((this.full[o] as number) - (this.base[o] as number));
    return this.moments.mean.slice(o * this.players, (o + 1) * this.players);
  }

  private errors(o: number): Float64Array {
    return this.moments.errors(o * this.players, (o + 1) * this.players);
  }

  result(evaluations: number): ShapleyResult | undefined {
    const exact = this.players === 1;
    if (!exact && this.moments.count === 0) return undefined;
    const outputs = Array.from(this.base, (base, o) =>
      attribution(this.values(o), exact ? undefined : this.errors(o), base, this.full[o] as number),
    );
    const stopReason = exact ? 'exact' : this.converged ? 'target_error' : 'budget';
    return { outputs, exact, converged: exact || this.converged, stopReason, evaluations };
  }
}

/**
 * Shapley values from random permutations, each walked forwards and backwards (2(players−1) evaluations): values add up
 * exactly whatever the budget, and games without interactions of three or more are right after one. Standard errors are of the
 * pairs' mean, NaN before the second. For any number of players.
 */
export function permutationShapley(options: SamplingOptions): Estimator<ShapleyResult> {
  requireBudget('permutation sampling', options.budget, 2 * options.players, options.players);
  return estimatorOf(new PermutationPlan(options));
}
