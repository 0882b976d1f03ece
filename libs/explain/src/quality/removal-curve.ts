import { ShoalError } from '@shoal/core';
import { maskEstimator, type MaskPlan } from '../asking';
import type { Estimator } from '../estimator';

export interface RemovalCurveOptions {
  /** Attributions of the output that is looked at, [players]. */
  readonly values: Float64Array;
  /** Take the most important players away one after the other, or start from nothing and add them. */
  readonly mode: 'deletion' | 'insertion';
  /** Points of the curve at most, both ends among them; absent: one for each player and one more. */
  readonly steps?: number | undefined;
}

export interface RemovalCurve {
  /** Part of the players that were taken away or added at each point, from 0 to 1. */
  readonly parts: Float64Array;
  /** [points × outputs]. */
  readonly outputs: Float64Array;
  /** Area under each output's curve, by trapezoids, [outputs]. A good explanation has a small one for deletion and a large one for insertion. */
  readonly area: Float64Array;
}

/** (Σ (yᵢ + yᵢ₊₁)/2 · (xᵢ₊₁ − xᵢ)): for equal distances this is (Σ y − first/2 − last/2)/(n − 1). */
export function areaUnder(x: Float64Array, y: (point: number) => number): number {
  let area = 0;
  for (let i = 1; i < x.length; i++) area += ((x[i] as number) - (x[i - 1] as number)) * ((y(i) + y(i - 1)) / 2);
  return area;
}

class RemovalCurvePlan implements MaskPlan<RemovalCurve> {
  readonly width: number;
  private readonly order: readonly number[];
  private readonly deletes: boolean;
  /** Players touched at each point. */
  private readonly touched: readonly number[];
  private written = 0;
  private taken = 0;
  private outputs: Float64Array = new Float64Array(0);
  done = false;

  constructor({ values, mode, steps = values.length + 1 }: RemovalCurveOptions) {
    const n = values.length;
    if (!Number.isInteger(steps) || steps < 2)
      throw new ShoalError('INVALID_ARGUMENT', `a ${mode} curve has at least 2 points, got ${steps}`);
    this.width = n;
    this.deletes = mode === 'deletion';
    this.order = [...values.keys()].sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
    const points = Math.min(steps, n + 1);
    this.touched = Array.from({ length: points }, (_, i) => Math.round((i * n) / (points - 1)));
  }

  write(masks: Uint8Array, at: number): boolean {
    const touched = this.touched[this.written];
    if (touched === undefined) return false;
    this.written++;
    masks.fill(this.deletes ? 1 : 0, at, at + this.width);
    for (const player of this.order.slice(0, touched)) masks[at + player] = this.deletes ? 0 : 1;
    return true;
  }

  take(values: Float64Array): void {
    if (this.taken === 0) this.outputs = new Float64Array(this.touched.length * values.length);
    this.outputs.set(values, this.taken++ * values.length);
    this.done = this.taken === this.touched.length;
  }

  result(): RemovalCurve | undefined {
    if (!this.done) return undefined;
    const parts = Float64Array.from(this.touched, (touched) => touched / this.width);
    const each = this.outputs.length / parts.length;
    const area = Float64Array.from({ length: each }, (_, o) =>
      areaUnder(parts, (point) => this.outputs[point * each + o] as number),
    );
    return { parts, outputs: this.outputs, area };
  }
}

/** Deletion and insertion curves (Petsiuk et al. 2018): what the model says as players go, or come, in the order of their importance. */
export function removalCurve(options: RemovalCurveOptions): Estimator<RemovalCurve> {
  return maskEstimator(new RemovalCurvePlan(options));
}
