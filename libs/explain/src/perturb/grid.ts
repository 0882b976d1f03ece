import { ShoalError } from '@shoal/core';

/** Rows of data, [count × features] row-major. */
export interface DataSet {
  readonly rows: Float64Array;
  readonly features: number;
}

/** How many rows there are. @throws ShoalError INVALID_ARGUMENT where they are not whole, or none. */
export function rowCount({ rows, features }: DataSet): number {
  const count = rows.length / features;
  if (!Number.isInteger(count) || count < 1)
    throw new ShoalError('INVALID_ARGUMENT', `expected whole rows of ${features} features, got ${rows.length} values`);
  return count;
}

/** One feature's values over the rows, ascending. @throws ShoalError INVALID_ARGUMENT for a feature that there is not. */
export function sortedColumn(data: DataSet, feature: number): Float64Array {
  const count = rowCount(data);
  if (!Number.isInteger(feature) || feature < 0 || feature >= data.features)
    throw new ShoalError('INVALID_ARGUMENT', `there is no feature ${feature} among ${data.features}`);
  return Float64Array.from({ length: count }, (_, row) => data.rows[row * data.features + feature] as number).sort();
}

/** The value below which a part of sorted values lies, interpolated (Hyndman & Fan's type 7). @param part from 0 to 1 */
export function quantile(sorted: Float64Array, part: number): number {
  const at = part * (sorted.length - 1);
  const low = Math.floor(at);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (at - low) * (above - below);
}

/**
 * Values at which to look at a feature, ascending, each once: `quantile` puts them where the data are, `uniform` at equal distances
 * from the least to the greatest. Fewer than `points` where the feature has fewer values.
 */
export function gridOf(data: DataSet, feature: number, points: number, kind: 'quantile' | 'uniform'): Float64Array {
  if (!Number.isInteger(points) || points < 2)
    throw new ShoalError('INVALID_ARGUMENT', `a grid has at least 2 points, got ${points}`);
  const sorted = sortedColumn(data, feature);
  const different = [...new Set(sorted)];
  if (different.length <= points && kind === 'quantile') return Float64Array.from(different);
  const [low, high] = [sorted[0] as number, sorted.at(-1) as number];
  const values = Array.from({ length: points }, (_, i) =>
    kind === 'quantile' ? quantile(sorted, i / (points - 1)) : low + ((high - low) * i) / (points - 1),
  );
  return Float64Array.from(new Set(values));
}
