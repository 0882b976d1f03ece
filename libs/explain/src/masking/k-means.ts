import { type Random, seededRandom, ShoalError } from '@shoal/core';

/** Few rows that stand for many. */
export interface Summary {
  /** [clusters × features]: weighted means, ordered by weight, heaviest first. */
  readonly centres: Float64Array;
  /** [clusters], adding up to 1: each cluster's share of the rows. */
  readonly weights: Float64Array;
}

export interface SummaryOptions {
  /** [rows × features]. */
  readonly rows: Float64Array;
  readonly features: number;
  /** Fewer come out where there are fewer different rows. */
  readonly clusters: number;
  readonly seed: number;
  /** [rows]; undefined: all rows count the same. */
  readonly weights?: Float64Array | undefined;
  /** Lloyd's iterations at most. */
  readonly iterations?: number;
}

/**
 * k-means over standardised features (k-means++ start, Lloyd's iterations): a summary that makes an explanation cheaper by
 * rows / clusters. The centres' weighted mean is the rows' weighted mean, so linear models are explained exactly.
 */
export function summarize(options: SummaryOptions): Summary {
  const { rows, features, clusters, seed, iterations = 50 } = options;
  const count = rows.length / features;
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(clusters) || clusters < 1)
    throw new ShoalError('INVALID_ARGUMENT', `cannot summarize ${count} rows by ${clusters} averages`);
  const weights = options.weights ?? new Float64Array(count).fill(1);
  const scale = inverseVariances(rows, features, weights);
  const distance = (row: number, centres: Float64Array, centre: number): number => {
    let sum = 0;
    for (let f = 0; f < features; f++) {
      const difference = (rows[row * features + f] as number) - (centres[centre * features + f] as number);
      sum += (scale[f] as number) * difference * difference;
    }
    return sum;
  };
  const centres = startingCentres(rows, features, clusters, weights, distance, seededRandom(seed));
  const k = centres.length / features;
  const nearest = new Int32Array(count).fill(-1);
  const total = new Float64Array(k);
  for (let iteration = 0; iteration <= iterations; iteration++) {
    let moved = false;
    for (let row = 0; row < count; row++) {
      let best = 0;
      let least = Infinity;
      for (let c = 0; c < k; c++) {
        const d = distance(row, centres, c);
        if (d < least) [best, least] = [c, d];
      }
      if (nearest[row] !== best) moved = true;
      nearest[row] = best;
    }
    if (!moved) break;
    total.fill(0);
    for (const [row, c] of nearest.entries()) total[c] = (total[c] as number) + (weights[row] as number);
    // A centre that has lost all its rows stays where it is.
    for (let i = 0; i < centres.length; i++) if ((total[Math.floor(i / features)] as number) > 0) centres[i] = 0;
    for (let row = 0; row < count; row++) {
      const c = nearest[row] as number;
      if ((total[c] as number) === 0) continue;
      const share = (weights[row] as number) / (total[c] as number);
      for (let f = 0; f < features; f++)
        centres[c * features + f] =
          (centres[c * features + f] as number) + share * (rows[row * features + f] as number);
    }
  }
  return ordered(centres, total, features);
}

function inverseVariances(rows: Float64Array, features: number, weights: Float64Array): Float64Array {
  return Float64Array.from({ length: features }, (_, f) => {
    let [sum, mean, squares] = [0, 0, 0];
    for (let row = 0; row < weights.length; row++) {
      const weight = weights[row] as number;
      if (!(weight >= 0)) throw new ShoalError('INVALID_ARGUMENT', `weights of rows are not negative, got ${weight}`);
      if (weight === 0) continue;
      sum += weight;
      const delta = (rows[row * features + f] as number) - mean;
      mean += (delta * weight) / sum;
      squares += weight * delta * ((rows[row * features + f] as number) - mean);
    }
    return squares > 0 ? sum / squares : 1;
  });
}

/** k-means++: each next centre is a row drawn by weight and squared distance from those there are. */
function startingCentres(
  rows: Float64Array,
  features: number,
  clusters: number,
  weights: Float64Array,
  distance: (row: number, centres: Float64Array, centre: number) => number,
  random: Random,
): Float64Array {
  const count = weights.length;
  const centres = new Float64Array(Math.min(clusters, count) * features);
  const pull = weights.slice();
  const nearest = new Float64Array(count).fill(Infinity);
  for (let c = 0; c * features < centres.length; c++) {
    const sum = pull.reduce((total, one) => total + one, 0);
    if (!(sum > 0)) return centres.slice(0, c * features);
    let left = random.next() * sum;
    let chosen = pull.findLastIndex((one) => one > 0);
    for (let row = 0; row < count && left >= 0; row++) {
      left -= pull[row] as number;
      if (left < 0 && (pull[row] as number) > 0) chosen = row;
    }
    centres.set(rows.subarray(chosen * features, (chosen + 1) * features), c * features);
    for (let row = 0; row < count; row++) {
      nearest[row] = Math.min(nearest[row] as number, distance(row, centres, c));
      pull[row] = (weights[row] as number) * (nearest[row] as number);
    }
  }
  return centres;
}

function ordered(centres: Float64Array, total: Float64Array, features: number): Summary {
  const sum = total.reduce((all, one) => all + one, 0);
  const order = [...total.keys()].filter((c) => (total[c] as number) > 0);
  order.sort((a, b) => (total[b] as number) - (total[a] as number) || a - b);
  const sorted = new Float64Array(order.length * features);
  for (const [at, c] of order.entries()) sorted.set(centres.subarray(c * features, (c + 1) * features), at * features);
  return { centres: sorted, weights: Float64Array.from(order, (c) => (total[c] as number) / sum) };
}
