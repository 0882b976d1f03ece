import { attribution, type ShapleyResult } from '../attribution';
import type { Estimator } from '../estimator';
import { type CoalitionPlan, estimatorOf } from '../games/plan';
import { Windows } from './windows';

export interface OcclusionOptions {
  /** The players as a tensor: an image's [height, width] or its cells, a sequence's [length]. */
  readonly shape: readonly number[];
  /** Players hidden at a time, along each axis. */
  readonly window: readonly number[];
  /** How far the window moves, along each axis; at most the window. Absent: 1. */
  readonly stride?: readonly number[] | undefined;
}

class OcclusionPlan implements CoalitionPlan {
  readonly players: number;
  private readonly windows: Windows;
  private written = 0;
  private taken = 0;
  private base: Float64Array = new Float64Array(0);
  private full: Float64Array = new Float64Array(0);
  /** [outputs × players]: falls of the output, summed over the windows that covered the player. */
  private sums: Float64Array = new Float64Array(0);
  /** Windows that covered each player so far. */
  private readonly covered: Float64Array;
  done = false;

  constructor({ shape, window, stride = shape.map(() => 1) }: OcclusionOptions) {
    this.windows = new Windows(shape, window, stride);
    this.players = this.windows.elements;
    this.covered = new Float64Array(this.players);
  }

  begin(base: Float64Array, full: Float64Array): void {
    [this.base, this.full] = [base, full];
    this.sums = new Float64Array(base.length * this.players);
  }

  write(masks: Uint8Array, at: number): boolean {
    if (this.written === this.windows.count) return false;
    masks.fill(1, at, at + this.players);
    this.windows.forEach(this.written++, (player) => (masks[at + player] = 0));
    return true;
  }

  take(_mask: Uint8Array, values: Float64Array): void {
    this.windows.forEach(this.taken++, (player) => {
      this.covered[player] = (this.covered[player] as number) + 1;
      for (const [o, value] of values.entries()) {
        const at = o * this.players + player;
        this.sums[at] = (this.sums[at] as number) + (this.full[o] as number) - value;
      }
    });
    this.done = this.taken === this.windows.count;
  }

  result(evaluations: number): ShapleyResult {
    const n = this.players;
    const outputs = Array.from(this.base, (base, o) =>
      attribution(
        this.covered.map((count, player) => (this.sums[o * n + player] as number) / count),
        undefined,
        base,
        this.full[o] as number,
      ),
    );
    return { outputs, exact: this.done, converged: this.done, stopReason: this.done ? 'exact' : 'budget', evaluations };
  }
}

/**
 * Occlusion (Zeiler & Fergus 2014): a window is moved over the players and hides all it covers; a player's value is by how much
 * the output falls, averaged over the windows that cover it. NaN: not covered yet.
 */
export function occlusion(options: OcclusionOptions): Estimator<ShapleyResult> {
  return estimatorOf(new OcclusionPlan(options));
}
