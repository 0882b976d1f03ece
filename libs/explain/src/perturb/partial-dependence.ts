import { ShoalError } from '@shoal/core';
import { rowEstimator, type RowPlan } from '../asking';
import type { RowEstimator } from '../estimator';
import { Moments } from '../games/moments';
import { type DataSet, rowCount, sortedColumn } from './grid';

export interface PartialDependenceOptions {
  readonly data: DataSet;
  readonly feature: number;
  /** Values that the feature is set to; see gridOf. */
  readonly grid: Float64Array;
  /** Keep each row's own curve too: rows × points × outputs numbers. */
  readonly individual?: boolean;
}

export interface PartialDependence {
  readonly grid: Float64Array;
  /** [points × outputs]: mean output over the rows with the feature set to each value; NaN where it is not known yet. */
  readonly average: Float64Array;
  /** Standard errors of these means over the rows, same shape. */
  readonly standardErrors: Float64Array;
  /** Individual conditional expectations, [rows × points × outputs]. */
  readonly individual: Float64Array | undefined;
  readonly evaluations: number;
}

class PartialDependencePlan implements RowPlan<PartialDependence> {
  readonly width: number;
  private readonly options: PartialDependenceOptions;
  private readonly count: number;
  private written = 0;
  private taken = 0;
  private outputs = 0;
  private point = new Moments(0);
  private average: Float64Array = new Float64Array(0);
  private standardErrors: Float64Array = new Float64Array(0);
  private individual: Float64Array | undefined;
  done = false;

  constructor(options: PartialDependenceOptions) {
    sortedColumn(options.data, options.feature);
    if (options.grid.length === 0) throw new ShoalError('INVALID_ARGUMENT', 'the grid of values is empty');
    this.options = options;
    this.width = options.data.features;
    this.count = rowCount(options.data);
  }

  /** All rows at the first value, then all at the second: what is known when time is up is whole points. */
  write(rows: Float64Array, at: number): boolean {
    const { data, feature, grid } = this.options;
    const point = Math.floor(this.written / this.count);
    if (point === grid.length) return false;
    const from = (this.written++ % this.count) * this.width;
    rows.set(data.rows.subarray(from, from + this.width), at);
    rows[at + feature] = grid[point] as number;
    return true;
  }

  take(values: Float64Array): void {
    const { grid, individual } = this.options;
    if (this.taken === 0) {
      this.outputs = values.length;
      this.point = new Moments(values.length);
      this.average = new Float64Array(grid.length * values.length).fill(Number.NaN);
      this.standardErrors = this.average.slice();
      if (individual === true)
        this.individual = new Float64Array(this.count * grid.length * values.length).fill(Number.NaN);
    }
    const point = Math.floor(this.taken / this.count);
    const row = this.taken++ % this.count;
    this.individual?.set(values, (row * grid.length + point) * this.outputs);
    this.point.add(values);
    if (row < this.count - 1) return;
    this.average.set(this.point.mean, point * this.outputs);
    this.standardErrors.set(this.point.errors(), point * this.outputs);
    this.point = new Moments(this.outputs);
    this.done = point === grid.length - 1;
  }

  result(): PartialDependence | undefined {
    if (this.taken < this.count) return undefined;
    return {
      grid: this.options.grid,
      average: this.average.slice(),
      standardErrors: this.standardErrors.slice(),
      individual: this.individual?.slice(),
      evaluations: this.taken,
    };
  }
}

/**
 * Partial dependence (Friedman 2001), PD(v) = mean over rows of f(row with the feature set to v), and on request each row's own curve
 * (ICE, Goldstein et al. 2015). Rows × points evaluations. Where features depend on each other it asks for rows that do not occur:
 * see accumulatedEffects.
 */
export function partialDependence(options: PartialDependenceOptions): RowEstimator<PartialDependence> {
  return rowEstimator(new PartialDependencePlan(options));
}
