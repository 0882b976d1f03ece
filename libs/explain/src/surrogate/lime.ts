import { seededRandom, ShoalError } from '@shoal/core';
import { maskEstimator, rowEstimator } from '../asking';
import type { Estimator, RowEstimator } from '../estimator';
import { identity, shuffleFront } from '../games/shuffle';
import { normal } from '../gradient/normal';
import { type DataSet, rowCount } from '../perturb/grid';
import { type LimeOptions, LimePlan, type LimeResult, type LimeSamples } from './lime-plan';

export interface MaskLimeOptions extends LimeOptions {
  readonly players: number;
  /**
   * Which players are absent: each by the toss of a coin ('coin', as LIME does for superpixels), or a number of them that is
   * uniform from 1 on ('count', as for words: small removals are seen too).
   */
  readonly absent?: 'coin' | 'count';
}

/**
 * LIME (Ribeiro et al. 2016) over players that are present or absent: superpixels, words, tokens. A linear model of presence, fitted
 * around the explained input; distances are cosine, the kernel's width 0.25.
 */
export function limeOfMasks(options: MaskLimeOptions): Estimator<LimeResult> {
  const { players, absent = 'coin', seed } = options;
  const make = (): LimeSamples<Uint8Array> => {
    const random = seededRandom(seed);
    const order = identity(players);
    const terms = new Float64Array(players);
    let first = true;
    return {
      terms,
      draw() {
        terms.fill(1);
        if (first) {
          first = false;
          return 0;
        }
        if (absent === 'coin') for (let i = 0; i < players; i++) terms[i] = random.next() < 0.5 ? 1 : 0;
        else {
          const removed = 1 + Math.floor(random.next() * players);
          shuffleFront(order, removed, random);
          for (let i = 0; i < removed; i++) terms[order[i] as number] = 0;
        }
        // Cosine to a row of ones.
        return 1 - Math.sqrt(terms.reduce((sum, one) => sum + one, 0) / players);
      },
      write: (masks, at) => masks.set(terms, at),
    };
  };
  return maskEstimator(new LimePlan(players, make, options, { samples: 1000, kernelWidth: 0.25 }));
}

export interface TabularLimeOptions extends LimeOptions {
  /** The explained row, [features]. */
  readonly row: Float64Array;
  /** Rows like those the model was made from: means, spreads and categories come from them. */
  readonly data: DataSet;
  /** Features whose values are names of categories rather than amounts. */
  readonly categorical?: readonly number[] | undefined;
  /** What amounts are drawn around: the data's means (as LIME does), or the explained row. */
  readonly around?: 'mean' | 'row';
}

/**
 * LIME of a row of a table. Amounts are drawn from normal distributions with the data's spreads and are terms in units of these,
 * 0 at the mean; categories are drawn from the data and are the term 1 where they are the explained row's, else 0. Distances are
 * Euclidean, the kernel's width 0.75·√features.
 */
export function limeOfRow(options: TabularLimeOptions): RowEstimator<LimeResult> {
  const { row, data, categorical = [], around = 'mean', seed } = options;
  const { features } = data;
  const count = rowCount(data);
  if (row.length !== features || categorical.some((feature) => !(feature in row)))
    throw new ShoalError('INVALID_ARGUMENT', `the data have ${features} features, the explained row ${row.length}`);
  const isCategory = Uint8Array.from(row, (_, f) => (categorical.includes(f) ? 1 : 0));
  const { means, spreads } = spreadOf(data, count);
  const scaled = (f: number, value: number) => (value - (means[f] as number)) / (spreads[f] as number);
  const own = row.map((value, f) => (isCategory[f] === 1 ? 1 : scaled(f, value)));
  const make = (): LimeSamples<Float64Array> => {
    const random = seededRandom(seed);
    const gauss = normal(random);
    const terms = own.slice();
    const values = row.slice();
    let first = true;
    return {
      terms,
      draw() {
        if (first) {
          first = false;
          return 0;
        }
        let squares = 0;
        for (let f = 0; f < features; f++) {
          if (isCategory[f] === 1) {
            values[f] = data.rows[Math.floor(random.next() * count) * features + f] as number;
            terms[f] = values[f] === row[f] ? 1 : 0;
          } else {
            terms[f] = gauss() + (around === 'row' ? (own[f] as number) : 0);
            values[f] = (means[f] as number) + (terms[f] as number) * (spreads[f] as number);
          }
          squares += ((terms[f] as number) - (own[f] as number)) ** 2;
        }
        return Math.sqrt(squares);
      },
      write: (rows, at) => rows.set(values, at),
    };
  };
  const defaults = { samples: 5000, kernelWidth: 0.75 * Math.sqrt(features) };
  return rowEstimator(new LimePlan(features, make, options, defaults));
}

/** Means and standard deviations, [features]; 1 for a feature that does not vary. */
function spreadOf(
  { rows, features }: DataSet,
  count: number,
): { readonly means: Float64Array; readonly spreads: Float64Array } {
  const means = new Float64Array(features);
  const spreads = new Float64Array(features);
  for (let f = 0; f < features; f++) {
    let squares = 0;
    for (let row = 0; row < count; row++) {
      const delta = (rows[row * features + f] as number) - (means[f] as number);
      means[f] = (means[f] as number) + delta / (row + 1);
      squares += delta * ((rows[row * features + f] as number) - (means[f] as number));
    }
    spreads[f] = Math.sqrt(squares / count) || 1;
  }
  return { means, spreads };
}
