import type { ExplainedOutput, Feature } from './explanation';

/** A line of a chart: a feature, or what the small ones come to. */
export interface Rank {
  readonly name: string;
  /** What the row has there; '' = not shown. */
  readonly shown: string;
  readonly value: number;
  /** undefined: exact, or not known. */
  readonly error: number | undefined;
  /** In the explanation's order; undefined: the rest, taken together. */
  readonly feature: number | undefined;
}

/**
 * Features by the size of their values, at most `most` lines. The rest is summed in the last one, without an error: those of estimates
 * are not independent. Values that add up to nothing have no such line.
 */
export function ranked(features: readonly Feature[], output: ExplainedOutput, most: number): readonly Rank[] {
  const order = features
    .map((_, at) => at)
    .toSorted((a, b) => size(output.values[b]) - size(output.values[a]) || a - b);
  const adds = output.adds ?? output.map === undefined;
  const kept = order.length <= most ? order : order.slice(0, adds ? most - 1 : most);
  const noise =
    rounding * Math.max(size(output.outputValue), size(output.baseValue), size(output.values[order[0] ?? 0]));
  const ranks = kept.map((at): Rank => {
    const { name, value } = features[at] as Feature;
    const error = output.standardErrors?.[at];
    return {
      name,
      shown: value,
      value:
        size(output.values[at]) < noise && Number.isFinite(output.values[at]) ? 0 : (output.values[at] ?? Number.NaN),
      error: error !== undefined && Number.isFinite(error) ? error : undefined,
      feature: at,
    };
  });
  const rest = order.slice(kept.length);
  if (rest.length === 0 || !adds) return ranks;
  const sum = rest.reduce((total, at) => total + finite(output.values[at]), 0);
  return [...ranks, { name: `${rest.length} others`, shown: '', value: sum, error: undefined, feature: undefined }];
}

/** What sums in double precision leave behind, as a part of what was summed, is no contribution. */
const rounding = 1e-13;

/** What can be drawn of a value: nothing, where the model gave no number. */
export function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}

function size(value: number | undefined): number {
  return Math.abs(finite(value));
}
