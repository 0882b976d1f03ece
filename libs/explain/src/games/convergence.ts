import { ShoalError } from '@shoal/core';

/** Bounds of a sampling method. */
export interface SamplingOptions {
  readonly players: number;
  /** Most coalitions evaluated, v(∅) and v(all) among them. */
  readonly budget: number;
  /** The same seed gives the same answer, bit for bit. An unsigned 32-bit integer. */
  readonly seed: number;
  /**
   * Stop once the largest standard error of every output is below this part of the range of its values (Covert & Lee 2021:
   * 0.01 is strict, 0.1 is a sketch). Absent: spend the whole budget.
   */
  readonly targetError?: number | undefined;
}

/** Whether one output is known well enough: max(errors) < target × (max − min of values). An unknown (NaN) error never is. */
export function settled(values: Float64Array, errors: Float64Array, target: number): boolean {
  let [low, high, scale, worst] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
    scale = Math.max(scale, Math.abs(value));
  }
  for (const error of errors) worst = Math.max(worst, error);
  // Players that are worth the same have no range: rounding is then all there is to expect.
  return worst < Math.max(target * (high - low), 1e-12 * scale) || worst === 0;
}

/** When to look: after `first` observations, then each time there are a quarter more. Few looks, and none depends on batches. */
export class Looks {
  private at: number;

  constructor(first: number) {
    this.at = first;
  }

  /** Whether to look now that there are `count`. */
  due(count: number): boolean {
    if (count < this.at) return false;
    this.at = Math.max(this.at + 1, Math.ceil(this.at * 1.25));
    return true;
  }
}

/** Refuses a budget that cannot give an answer. */
export function requireBudget(method: string, budget: number, least: number, players: number): void {
  if (!(budget >= least))
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `${method} over ${players} players needs a budget of at least ${least} evaluations, got ${budget}`,
    );
}
