import { seededRandom, ShoalError } from '@shoal/core';
import { rowEstimator, type RowPlan } from '../asking';
import type { RowEstimator } from '../estimator';
import { Moments } from '../games/moments';
import { identity, shuffleFront } from '../games/shuffle';
import { type DataSet, rowCount } from './grid';
import type { Loss } from './losses';

export interface ImportanceOptions {
  readonly data: DataSet;
  /** What is right for each row, as the loss takes it, [rows]. */
  readonly targets: Float64Array;
  readonly loss: Loss;
  /** Times that each feature is shuffled. */
  readonly repeats?: number;
  /** Features that are shuffled together; absent: each by itself. */
  readonly groups?: readonly (readonly number[])[] | undefined;
  readonly seed: number;
}

export interface Importance {
  /** Mean loss of the rows as they are. */
  readonly loss: number;
  /** By how much the mean loss grows when the group is shuffled, [groups]; NaN: not known yet. */
  readonly values: Float64Array;
  /** Of these, over repeats, [groups]; NaN with fewer than two. */
  readonly standardErrors: Float64Array;
  readonly evaluations: number;
}

class ImportancePlan implements RowPlan<Importance> {
  readonly width: number;
  private readonly options: ImportanceOptions;
  private readonly repeats: number;
  private readonly groups: readonly (readonly number[])[];
  private readonly random;
  private readonly order: Int32Array;
  private written = 0;
  private taken = 0;
  private sum = 0;
  private base = Number.NaN;
  private readonly seen: readonly Moments[];
  done = false;

  constructor(options: ImportanceOptions) {
    const { data, targets, repeats = 5, groups, seed } = options;
    const count = rowCount(data);
    if (targets.length !== count)
      throw new ShoalError('INVALID_ARGUMENT', `${count} rows need as many targets, got ${targets.length}`);
    if (!Number.isInteger(repeats) || repeats < 1)
      throw new ShoalError('INVALID_ARGUMENT', `features are shuffled at least once, got ${repeats}`);
    this.groups = groups ?? Array.from({ length: data.features }, (_, feature) => [feature]);
    for (const feature of this.groups.flat())
      if (!(Number.isInteger(feature) && feature >= 0 && feature < data.features))
        throw new ShoalError('INVALID_ARGUMENT', `there is no feature ${feature} among ${data.features}`);
    this.options = options;
    this.repeats = repeats;
    this.width = data.features;
    this.random = seededRandom(seed);
    this.order = identity(count);
    this.seen = this.groups.map(() => new Moments(1));
    if (this.groups.length === 0) throw new ShoalError('INVALID_ARGUMENT', 'there are no features to shuffle');
  }

  /** The rows as they are, then for each repeat and group the rows with it shuffled. */
  write(rows: Float64Array, at: number): boolean {
    const { data } = this.options;
    const { length: count } = this.order;
    const pass = Math.floor(this.written / count) - 1;
    if (pass === this.groups.length * this.repeats) return false;
    const row = this.written++ % count;
    rows.set(data.rows.subarray(row * this.width, (row + 1) * this.width), at);
    if (pass < 0) return true;
    if (row === 0) shuffleFront(this.order, count, this.random);
    const other = this.order[row] as number;
    for (const feature of this.groups[pass % this.groups.length] as readonly number[])
      rows[at + feature] = data.rows[other * this.width + feature] as number;
    return true;
  }

  take(values: Float64Array): void {
    const { targets, loss } = this.options;
    const row = this.taken % targets.length;
    const pass = Math.floor(this.taken++ / targets.length) - 1;
    this.sum += loss(values, targets[row] as number);
    if (row < targets.length - 1) return;
    const mean = this.sum / targets.length;
    this.sum = 0;
    if (pass < 0) this.base = mean;
    else this.seen[pass % this.groups.length]?.add(Float64Array.of(mean - this.base));
    this.done = pass === this.groups.length * this.repeats - 1;
  }

  result(): Importance | undefined {
    if (Number.isNaN(this.base)) return undefined;
    return {
      loss: this.base,
      values: Float64Array.from(this.seen, ({ count, mean }) => (count === 0 ? Number.NaN : (mean[0] as number))),
      standardErrors: Float64Array.from(this.seen, (moments) => moments.errors()[0] as number),
      evaluations: this.taken,
    };
  }
}

/**
 * Permutation importance (Breiman 2001; Fisher et al. 2019): by how much the model's mean loss grows when a feature's values are
 * shuffled over the rows. (1 + features × repeats) × rows evaluations.
 */
export function permutationImportance(options: ImportanceOptions): RowEstimator<Importance> {
  return rowEstimator(new ImportancePlan(options));
}
