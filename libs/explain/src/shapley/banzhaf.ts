import { seededRandom } from '@shoal/core';
import { attribution, type ShapleyResult } from '../attribution';
import type { Estimator } from '../estimator';
import { Looks, requireBudget, type SamplingOptions, settled } from '../games/convergence';
import { type CoalitionPlan, estimatorOf } from '../games/plan';
import { jackknifeParts, PairRegression, requirePlayers } from './pair-regression';
import { PairSolver } from './pair-solver';

class BanzhafPlan implements CoalitionPlan {
  readonly players: number;
  private readonly pairs: number;
  private readonly targetError: number | undefined;
  private readonly random;
  private readonly looks: Looks;
  private readonly solver = new PairSolver();
  private readonly pending: Uint8Array;
  private complement = false;
  private written = 0;
  private regression: PairRegression | undefined;
  private base: Float64Array = new Float64Array(0);
  private ends: Float64Array = new Float64Array(0);
  private held: { mask: Uint8Array; values: Float64Array } | undefined;
  private converged = false;
  private last = false;
  done = false;

  constructor(options: SamplingOptions) {
    this.players = options.players;
    this.pairs = Math.floor((options.budget - 2) / 2);
    this.targetError = options.targetError;
    this.random = seededRandom(options.seed);
    this.pending = new Uint8Array(options.players);
    // Fewer pairs than players leave the squares singular.
    this.looks = new Looks(Math.max(2 * jackknifeParts, options.players));
  }

  begin(base: Float64Array, full: Float64Array): void {
    this.base = base;
    this.ends = full;
    this.regression = new PairRegression(this.players, base.length, 1, 0);
  }

  write(masks: Uint8Array, at: number): boolean {
    if (!this.complement) {
      if (this.written === this.pairs) return false;
      this.written++;
      for (let p = 0; p < this.players; p++) this.pending[p] = this.random.next() < 0.5 ? 1 : 0;
    }
    const flip = this.complement ? 1 : 0;
    for (let p = 0; p < this.players; p++) masks[at + p] = (this.pending[p] as number) ^ flip;
    this.complement = !this.complement;
    return true;
  }

  take(mask: Uint8Array, values: Float64Array): void {
    if (this.held === undefined) {
      this.held = { mask: mask.slice(), values: values.slice() };
      return;
    }
    const { mask: first, values: differences } = this.held;
    this.held = undefined;
    for (let o = 0; o < differences.length; o++) differences[o] = (differences[o] as number) - (values[o] as number);
    const regression = this.regression as PairRegression;
    regression.sample(first, differences);
    this.last = regression.count === this.pairs;
    if ((this.targetError !== undefined && this.looks.due(regression.count)) || this.last)
      this.solver.start(regression);
  }

  work(): boolean {
    if (!this.solver.due) return false;
    const solutions = this.solver.step();
    if (!solutions) return true;
    const { targetError } = this;
    if (targetError !== undefined)
      this.converged = solutions.every(({ values, errors }) => settled(values, errors, targetError));
    this.done = this.last || this.converged;
    return false;
  }

  result(evaluations: number): ShapleyResult | undefined {
    const { regression } = this;
    if (regression === undefined || regression.count === 0) return undefined;
    const outputs = this.solver
      .solutions(regression)
      .map(({ values, errors }, o) => attribution(values, errors, this.base[o] as number, this.ends[o] as number));
    const stopReason = this.converged ? 'target_error' : 'budget';
    return { outputs, exact: false, converged: this.converged, stopReason, evaluations };
  }
}

/**
 * Banzhaf values, φi = mean over all coalitions of v(S ∪ i) − v(S), from uniformly drawn coalitions and their complements
 * by least squares. They need not add up to the output's difference: see the additivity gap. For few players: {@link exact}.
 */
export function sampledBanzhaf(options: SamplingOptions): Estimator<ShapleyResult> {
  requireBudget('the Banzhaf index', options.budget, 2 * options.players + 2, options.players);
  requirePlayers('the Banzhaf index', options.players);
  return estimatorOf(new BanzhafPlan(options));
}
