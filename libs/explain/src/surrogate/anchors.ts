import { seededRandom, ShoalError } from '@shoal/core';
import { maskEstimator, rowEstimator } from '../asking';
import type { Estimator, RowEstimator } from '../estimator';
import { type DataSet, quantile, rowCount, sortedColumn } from '../perturb/grid';
import { type Anchor, AnchorPlan, type Label, usualLabel } from './anchor-plan';
import { type AnchorOptions, AnchorSearch } from './anchor-search';

export interface MaskAnchorOptions extends AnchorOptions {
  readonly players: number;
  readonly seed: number;
  readonly label?: Label;
}

/**
 * Anchors over players that are present or absent (words, superpixels): those that must be present for the model to answer the same,
 * the others present by the toss of a coin. Coverage is 2^−size.
 */
export function anchorOfMasks(options: MaskAnchorOptions): Estimator<Anchor> {
  const { players, seed, label = usualLabel } = options;
  const random = seededRandom(seed);
  const search = new AnchorSearch(players, (features) => 2 ** -features.length, options);
  return maskEstimator(
    new AnchorPlan<Uint8Array>(
      players,
      search,
      {
        own: (masks, at) => masks.fill(1, at, at + players),
        draw(features, masks, at) {
          for (let i = 0; i < players; i++) masks[at + i] = random.next() < 0.5 ? 1 : 0;
          for (const feature of features) masks[at + feature] = 1;
        },
      },
      label,
    ),
  );
}

/** What an anchor says of one feature: more than `above` and at most `upTo`, both of them the value where it is a category. */
export interface Predicate {
  readonly feature: number;
  readonly above: number;
  readonly upTo: number;
  readonly category: boolean;
}

export interface TabularAnchorOptions extends AnchorOptions {
  /** The explained row, [features]. */
  readonly row: Float64Array;
  /** Rows like those the model meets: samples are made of them, and coverage is counted in them. */
  readonly data: DataSet;
  /** Features whose values are names of categories rather than amounts. */
  readonly categorical?: readonly number[] | undefined;
  /** Intervals that amounts are divided into, with equally many rows each. */
  readonly bins?: number;
  readonly seed: number;
  readonly label?: Label;
}

export interface TabularAnchor extends Anchor {
  /** What the condition is, one for each of its features. */
  readonly predicates: readonly Predicate[];
}

/**
 * Anchors of a row of a table: features stay the same category, or within the same quartile of the data, the rest of a sample being a
 * random row of the data.
 */
export function anchorOfRow(options: TabularAnchorOptions): RowEstimator<TabularAnchor> {
  const { row, data, categorical = [], bins = 4, seed, label = usualLabel } = options;
  const { features } = data;
  const count = rowCount(data);
  if (row.length !== features || !Number.isInteger(bins) || bins < 2)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `expected a row of the data's ${features} features and at least 2 bins, got ${row.length} and ${bins}`,
    );
  const predicates = Array.from(row, (value, f) => predicateOf(data, f, value, bins, categorical.includes(f)));
  const valueOf = (at: number, f: number) => data.rows[at * features + f] as number;
  const matching = predicates.map((predicate, f) =>
    Int32Array.from(Array.from({ length: count }, (_, at) => at).filter((at) => holds(predicate, valueOf(at, f)))),
  );
  const coverage = (chosen: readonly number[]): number => {
    let covered = 0;
    for (let at = 0; at < count; at++)
      if (chosen.every((f) => holds(predicates[f] as Predicate, valueOf(at, f)))) covered++;
    return covered / count;
  };
  const random = seededRandom(seed);
  const plan = new AnchorPlan<Float64Array>(
    features,
    new AnchorSearch(features, coverage, options),
    {
      own: (rows, at) => rows.set(row, at),
      draw(chosen, rows, at) {
        const from = Math.floor(random.next() * count) * features;
        rows.set(data.rows.subarray(from, from + features), at);
        for (const f of chosen) {
          const others = matching[f] as Int32Array;
          // Drawn whether it is needed or not: samples then do not depend on the values before them.
          const other = others[Math.floor(random.next() * others.length)];
          if (!holds(predicates[f] as Predicate, rows[at + f] as number))
            rows[at + f] = other === undefined ? (row[f] as number) : valueOf(other, f);
        }
      },
    },
    label,
  );
  const estimator = rowEstimator(plan);
  return {
    next: (max) => estimator.next(max),
    tell: (values) => estimator.tell(values),
    get done() {
      return estimator.done;
    },
    result() {
      const anchor = estimator.result();
      return anchor && { ...anchor, predicates: anchor.features.map((f) => predicates[f] as Predicate) };
    },
  };
}

function holds({ above, upTo, category }: Predicate, value: number): boolean {
  return category ? value === upTo : value > above && value <= upTo;
}

function predicateOf(data: DataSet, feature: number, value: number, bins: number, category: boolean): Predicate {
  if (category) return { feature, above: value, upTo: value, category };
  const sorted = sortedColumn(data, feature);
  const inner = Array.from({ length: bins - 1 }, (_, i) => quantile(sorted, (i + 1) / bins));
  return {
    feature,
    above: inner.findLast((edge) => edge < value) ?? -Infinity,
    upTo: inner.find((edge) => edge >= value) ?? Infinity,
    category,
  };
}
