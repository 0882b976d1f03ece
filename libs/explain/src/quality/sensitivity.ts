import { type Random, seededRandom, ShoalError } from '@shoal/core';
import type { RowBatch, RowEstimator } from '../estimator';

/** ‖a − b‖ / ‖b‖; 0 where both are 0, Infinity where only b is. */
export function relativeChange(a: Float64Array, b: Float64Array): number {
  let [difference, size] = [0, 0];
  for (const [i, value] of b.entries()) {
    difference += ((a[i] as number) - value) ** 2;
    size += value * value;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

/** A row nearby: each feature moved by at most `radius`, uniformly (the L∞ ball). */
export function nearbyRow(row: Float64Array, radius: number, random: Random): Float64Array {
  return row.map((value) => value + radius * (2 * random.next() - 1));
}

export interface SensitivityOptions {
  /** The explained row, [features]. */
  readonly row: Float64Array;
  /** How far each feature is moved at most. */
  readonly radius?: number;
  /** Rows nearby that are explained. */
  readonly samples?: number;
  readonly seed: number;
  /** Explains a row. The seed must be the same for all, or the method's own noise is measured. */
  readonly explain: (row: Float64Array) => RowEstimator<readonly Float64Array[]>;
}

export interface SensitivityMax {
  /** Largest relative change of each output's attributions, [outputs]. */
  readonly values: Float64Array;
  /** Rows nearby that were explained. */
  readonly samples: number;
}

/** Explanations under way at a time. */
const mostOpen = 4;

class Sensitivity implements RowEstimator<SensitivityMax> {
  private readonly options: SensitivityOptions;
  private readonly samples: number;
  private readonly random: Random;
  private made = 0;
  private finished = 0;
  /** Explanations under way, oldest first; a later one is begun when those before it ask for no more. */
  private readonly open: RowEstimator<readonly Float64Array[]>[] = [];
  private readonly outstanding: RowEstimator<readonly Float64Array[]>[] = [];
  private own: readonly Float64Array[] | undefined;
  private largest: Float64Array = new Float64Array(0);

  constructor(options: SensitivityOptions) {
    const { samples = 10, radius = 0.02 } = options;
    if (!(samples >= 1 && radius > 0))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `sensitivity needs at least one sample and a radius above 0, got ${samples} and ${radius}`,
      );
    [this.options, this.samples, this.random] = [options, Math.floor(samples), seededRandom(options.seed)];
  }

  get done(): boolean {
    return this.finished === this.samples + 1;
  }

  next(max: number): RowBatch | undefined {
    for (let i = 0; ; i++) {
      if (i === this.open.length) {
        if (this.made > this.samples || i === mostOpen) return undefined;
        this.open.push(this.begin());
      }
      const explanation = this.open[i] as RowEstimator<readonly Float64Array[]>;
      const batch = explanation.next(max);
      if (batch === undefined) continue;
      this.outstanding.push(explanation);
      return batch;
    }
  }

  private begin(): RowEstimator<readonly Float64Array[]> {
    const { row, radius = 0.02, explain } = this.options;
    return explain(this.made++ === 0 ? row : nearbyRow(row, radius, this.random));
  }

  tell(values: Float64Array): void {
    const explanation = this.outstanding.shift();
    if (explanation === undefined) throw new ShoalError('INTERNAL', 'values were told that nobody asked for');
    if (!explanation.done) explanation.tell(values);
    while (this.open[0]?.done === true) this.finish(this.open.shift()?.result() ?? []);
  }

  private finish(attributions: readonly Float64Array[]): void {
    this.finished++;
    if (this.own === undefined) {
      this.own = attributions;
      this.largest = new Float64Array(attributions.length);
      return;
    }
    for (const [o, own] of this.own.entries())
      this.largest[o] = Math.max(this.largest[o] as number, relativeChange(attributions[o] as Float64Array, own));
  }

  result(): SensitivityMax | undefined {
    return this.finished < 2 ? undefined : { values: this.largest.slice(), samples: this.finished - 1 };
  }
}

/** Max-sensitivity (Yeh et al. 2019): by how much attributions change, at most, when the row is moved a little. */
export function sensitivityMax(options: SensitivityOptions): RowEstimator<SensitivityMax> {
  return new Sensitivity(options);
}
