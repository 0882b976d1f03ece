import type { Estimator } from '../estimator';
import { attribution, type ShapleyResult } from '../attribution';
import { type CoalitionPlan, estimatorOf } from '../games/plan';

class AblationPlan implements CoalitionPlan {
  readonly players: number;
  private written = 0;
  private taken = 0;
  private base: Float64Array = new Float64Array(0);
  private full: Float64Array = new Float64Array(0);
  /** [outputs × players]. */
  private values: Float64Array = new Float64Array(0);
  done = false;

  constructor(players: number) {
    this.players = players;
  }

  begin(base: Float64Array, full: Float64Array): void {
    [this.base, this.full] = [base, full];
    this.values = new Float64Array(base.length * this.players).fill(Number.NaN);
  }

  write(masks: Uint8Array, at: number): boolean {
    if (this.written === this.players) return false;
    masks.fill(1, at, at + this.players);
    masks[at + this.written++] = 0;
    return true;
  }

  take(_mask: Uint8Array, values: Float64Array): void {
    for (const [o, value] of values.entries())
      this.values[o * this.players + this.taken] = (this.full[o] as number) - value;
    this.done = ++this.taken === this.players;
  }

  result(evaluations: number): ShapleyResult {
    const n = this.players;
    const outputs = Array.from(this.base, (base, o) =>
      attribution(this.values.slice(o * n, (o + 1) * n), undefined, base, this.full[o] as number),
    );
    return { outputs, exact: this.done, converged: this.done, stopReason: this.done ? 'exact' : 'budget', evaluations };
  }
}

/**
 * How far the output falls when one player alone is absent. players + 2 evaluations; what several players do together is not
 * shared out, so the values need not add up. NaN: not evaluated yet.
 */
export function ablation(options: { readonly players: number }): Estimator<ShapleyResult> {
  return estimatorOf(new AblationPlan(options.players));
}
