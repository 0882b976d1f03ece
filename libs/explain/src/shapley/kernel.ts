import { seededRandom } from '@shoal/core';
import { attribution, type ShapleyResult } from '../attribution';
import type { Estimator } from '../estimator';
import { binomial, nextCombination } from '../games/coalitions';
import { Looks, requireBudget, type SamplingOptions, settled } from '../games/convergence';
import { type CoalitionPlan, estimatorOf } from '../games/plan';
import { identity, shuffleFront } from '../games/shuffle';
import { jackknifeParts, PairRegression, requirePlayers } from './pair-regression';
import { PairSolver } from './pair-solver';

/** A size s with its complement n−s. */
interface SizeClass {
  readonly size: number;
  /** Pairs of a coalition and its complement. */
  readonly pairs: number;
  /** Part of the Shapley kernel's mass. */
  readonly mass: number;
}

/** Sizes 1…⌊n/2⌋, each with its complement's: mass ∝ 1/(s(n−s)). */
function sizeClasses(players: number): SizeClass[] {
  const classes: SizeClass[] = [];
  let total = 0;
  for (let size = 1; 2 * size <= players; size++) {
    const half = 2 * size === players;
    const mass = (half ? 1 : 2) / (size * (players - size));
    total += mass;
    classes.push({ size, pairs: binomial(players, size) / (half ? 2 : 1), mass });
  }
  return classes.map((each) => ({ ...each, mass: each.mass / total }));
}

/** How many of the smallest sizes the budget covers: as long as sampling would evaluate each of a size's coalitions once or more. */
function enumerable(classes: readonly SizeClass[], evaluations: number): number {
  let [left, rest, full] = [evaluations, 1, 0];
  for (const { pairs, mass } of classes) {
    // The last size's share is 1 but for rounding, and must count as covered when the budget is just enough.
    if ((left * (mass / rest)) / (2 * pairs) < 1 - 1e-8) break;
    left -= 2 * pairs;
    rest -= mass;
    full++;
  }
  return full;
}

class KernelPlan implements CoalitionPlan {
  readonly players: number;
  private readonly options: SamplingOptions;
  private readonly full: readonly SizeClass[];
  private readonly drawn: readonly SizeClass[];
  private readonly sampledMass: number;
  private readonly pairs: number;
  private readonly exact: boolean;
  private readonly looks: Looks;
  private readonly solver = new PairSolver();
  private readonly random;
  private readonly order: Int32Array;
  private readonly pending: Uint8Array;
  private complement = false;
  private writtenPairs = 0;
  private writeClass = 0;
  private chosen: Int32Array | undefined;
  private regression: PairRegression | undefined;
  private base: Float64Array = new Float64Array(0);
  private ends: Float64Array = new Float64Array(0);
  private held: { mask: Uint8Array; values: Float64Array } | undefined;
  private takenPairs = 0;
  private takenInClass = 0;
  private takeClass = 0;
  private converged = false;
  private last = false;
  done = false;

  constructor(options: SamplingOptions) {
    this.options = options;
    this.players = options.players;
    const classes = sizeClasses(options.players);
    const room = Math.floor((options.budget - 2) / 2);
    const covered = enumerable(classes, 2 * room);
    this.full = classes.slice(0, covered);
    this.drawn = classes.slice(covered);
    this.exact = this.drawn.length === 0;
    this.sampledMass = this.drawn.reduce((sum, { mass }) => sum + mass, 0);
    this.pairs = this.exact ? this.full.reduce((sum, { pairs }) => sum + pairs, 0) : room;
    this.random = seededRandom(options.seed);
    this.order = identity(options.players);
    this.pending = new Uint8Array(options.players);
    // Fewer pairs than players leave the squares singular.
    this.looks = new Looks(Math.max(2 * jackknifeParts, options.players));
  }

  begin(base: Float64Array, full: Float64Array): void {
    this.base = base;
    this.ends = full;
    const n = this.players;
    const delta = full.map((value, o) => value - (base[o] as number));
    let correlation = 0;
    for (const { size, mass } of [...this.full, ...this.drawn])
      correlation += (mass * ((n - 2 * size) ** 2 - n)) / (n * (n - 1));
    this.regression = new PairRegression(n, base.length, this.sampledMass, correlation, delta);
    if (this.pairs === 0) this.done = true;
  }

  write(masks: Uint8Array, at: number): boolean {
    if (this.complement) for (let p = 0; p < this.players; p++) masks[at + p] = 1 - (this.pending[p] as number);
    else {
      if (this.writtenPairs === this.pairs) return false;
      this.writtenPairs++;
      this.nextPair();
      masks.set(this.pending, at);
    }
    this.complement = !this.complement;
    return true;
  }

  /** Leaves the first coalition of the next pair in `pending`. */
  private nextPair(): void {
    this.pending.fill(0);
    const enumerating = this.full[this.writeClass];
    if (enumerating === undefined) {
      let at = this.random.next() * this.sampledMass;
      let size = 0;
      for (const each of this.drawn) {
        size = each.size;
        at -= each.mass;
        if (at < 0) break;
      }
      shuffleFront(this.order, size, this.random);
      for (let i = 0; i < size; i++) this.pending[this.order[i] as number] = 1;
      return;
    }
    this.chosen ??= identity(enumerating.size);
    for (const p of this.chosen) this.pending[p] = 1;
    // Of a size that is its own complement, those with player 0 are one half: they come first.
    const more = nextCombination(this.chosen, this.players);
    const half = 2 * enumerating.size === this.players && this.chosen[0] !== 0;
    if (more && !half) return;
    this.chosen = undefined;
    this.writeClass++;
  }

  take(mask: Uint8Array, values: Float64Array): void {
    if (this.held === undefined) {
      this.held = { mask: mask.slice(), values: values.slice() };
      return;
    }
    const { mask: first, values: differences } = this.held;
    this.held = undefined;
    for (let o = 0; o < differences.length; o++) differences[o] = (differences[o] as number) - (values[o] as number);
    this.takenPairs++;
    const regression = this.regression as PairRegression;
    const enumerating = this.full[this.takeClass];
    if (enumerating === undefined) regression.sample(first, differences);
    else {
      regression.enumerate(first, differences, enumerating.mass / enumerating.pairs);
      if (++this.takenInClass === enumerating.pairs) {
        this.takeClass++;
        this.takenInClass = 0;
      }
    }
    const { targetError } = this.options;
    this.last = this.takenPairs === this.pairs;
    const looks = targetError !== undefined && !this.exact && this.looks.due(regression.count);
    if (looks || this.last) this.solver.start(regression);
  }

  work(): boolean {
    if (!this.solver.due) return false;
    const solutions = this.solver.step();
    if (!solutions) return true;
    const { targetError } = this.options;
    if (targetError !== undefined && !this.exact)
      this.converged = solutions.every(({ values, errors }) => settled(values, errors, targetError));
    this.done = this.last || this.converged;
    return false;
  }

  result(evaluations: number): ShapleyResult | undefined {
    const { regression, base, ends } = this;
    // Before the small sizes are through, an answer would be biased.
    if (regression === undefined || this.takeClass < this.full.length) return undefined;
    if (!this.exact && regression.count === 0) return undefined;
    const solutions = this.players > 1 ? this.solver.solutions(regression) : undefined;
    const outputs = Array.from(base, (value, o) => {
      const end = ends[o] as number;
      const { values, errors } = solutions?.[o] ?? { values: Float64Array.of(end - value), errors: undefined };
      return attribution(values, this.exact ? undefined : errors, value, end);
    });
    const stopReason = this.exact ? 'exact' : this.converged ? 'target_error' : 'budget';
    return { outputs, exact: this.exact, converged: this.exact || this.converged, stopReason, evaluations };
  }
}

/**
 * KernelSHAP with paired sampling: sizes are enumerated from the outside in while the budget covers them, the rest is
 * sampled with complements and solved by least squares, no attribution being forced to zero. Exact once the budget is 2^players.
 * Standard errors are of the sampled part, by the jackknife over {@link jackknifeParts} parts.
 */
export function kernelShap(options: SamplingOptions): Estimator<ShapleyResult> {
  const { players, budget } = options;
  if (players <= 16) requireBudget('KernelSHAP', budget, Math.min(2 * players + 2, 2 ** players), players);
  else requireBudget('KernelSHAP', budget, 2 * players + 2, players);
  requirePlayers('KernelSHAP', players);
  return estimatorOf(new KernelPlan(options));
}
