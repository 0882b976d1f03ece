import { ShoalError } from '@shoal/core';
import { rowEstimator, type RowPlan } from '../asking';
import type { RowEstimator } from '../estimator';
import { Moments } from '../games/moments';
import { type DataSet, rowCount, sortedColumn } from './grid';

export interface AccumulatedEffectsOptions {
  readonly data: DataSet;
  readonly feature: number;
  /** Ascending ends of the intervals, at least 2; see gridOf. Rows beyond count in the first or last. */
  readonly edges: Float64Array;
}

export interface AccumulatedEffects {
  readonly edges: Float64Array;
  /** [edges × outputs]: the effect at each end, its mean over the rows 0. */
  readonly effects: Float64Array;
  /** Standard errors of the difference to the first end, same shape, 0 there; NaN from an interval of one row on. */
  readonly standardErrors: Float64Array;
  /** Rows in each interval, [edges − 1]. */
  readonly counts: Float64Array;
  readonly evaluations: number;
}

class AccumulatedEffectsPlan implements RowPlan<AccumulatedEffects> {
  readonly width: number;
  private readonly options: AccumulatedEffectsOptions;
  private readonly count: number;
  /** [rows]: the interval of each. */
  private readonly interval: Int32Array;
  private written = 0;
  private taken = 0;
  private below: Float64Array = new Float64Array(0);
  private intervals: readonly Moments[] = [];
  done = false;

  constructor(options: AccumulatedEffectsOptions) {
    const { data, feature, edges } = options;
    sortedColumn(data, feature);
    if (edges.length < 2 || edges.some((edge, i) => i > 0 && !(edge > (edges[i - 1] as number))))
      throw new ShoalError('INVALID_ARGUMENT', `intervals need at least 2 ascending ends, got ${edges.length}`);
    this.options = options;
    this.width = data.features;
    this.count = rowCount(data);
    this.interval = Int32Array.from({ length: this.count }, (_, row) => {
      const value = data.rows[row * data.features + feature] as number;
      const end = edges.findIndex((edge, i) => i > 0 && value <= edge);
      return (end < 0 ? edges.length - 1 : end) - 1;
    });
  }

  write(rows: Float64Array, at: number): boolean {
    const { data, feature, edges } = this.options;
    const row = this.written >> 1;
    if (row === this.count) return false;
    rows.set(data.rows.subarray(row * this.width, (row + 1) * this.width), at);
    rows[at + feature] = edges[(this.interval[row] as number) + (this.written++ & 1)] as number;
    return true;
  }

  take(values: Float64Array): void {
    if (this.taken === 0) {
      this.below = new Float64Array(values.length);
      this.intervals = Array.from(this.options.edges.subarray(1), () => new Moments(values.length));
    }
    const row = this.taken >> 1;
    if ((this.taken++ & 1) === 0) {
      this.below.set(values);
      return;
    }
    const { below } = this;
    for (const [o, value] of values.entries()) below[o] = value - (below[o] as number);
    this.intervals[this.interval[row] as number]?.add(below);
    this.done = row === this.count - 1;
  }

  result(): AccumulatedEffects | undefined {
    if (this.taken < 2) return undefined;
    const { edges } = this.options;
    const outputs = this.below.length;
    const effects = new Float64Array(edges.length * outputs);
    const standardErrors = new Float64Array(edges.length * outputs);
    const total = this.intervals.reduce((sum, { count }) => sum + count, 0);
    for (let o = 0; o < outputs; o++) {
      let [sum, variance, mean] = [0, 0, 0];
      for (const [k, interval] of this.intervals.entries()) {
        const before = sum;
        // An interval without rows says nothing: the curve is level there.
        if (interval.count > 0) {
          sum += interval.mean[o] as number;
          variance += (interval.errors(o, o + 1)[0] as number) ** 2;
        }
        effects[(k + 1) * outputs + o] = sum;
        standardErrors[(k + 1) * outputs + o] = Math.sqrt(variance);
        mean += (interval.count / total) * ((before + sum) / 2);
      }
      for (let k = 0; k < edges.length; k++) effects[k * outputs + o] = (effects[k * outputs + o] as number) - mean;
    }
    const counts = Float64Array.from(this.intervals, ({ count }) => count);
    return { edges, effects, standardErrors, counts, evaluations: this.taken };
  }
}

/**
 * Accumulated local effects (Apley & Zhu 2020): in each interval of the feature, by how much the output changes from its lower to its
 * upper end for the rows that lie in it, summed up and centred. Two evaluations for each row, none far from the data.
 */
export function accumulatedEffects(options: AccumulatedEffectsOptions): RowEstimator<AccumulatedEffects> {
  return rowEstimator(new AccumulatedEffectsPlan(options));
}
