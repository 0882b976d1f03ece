import { type Random, ShoalError } from '@shoal/core';

import { type Attribution, attribution } from '../attribution';
import { Moments } from '../games/moments';
import { identity, shuffleFront } from '../games/shuffle';
import { type GradientEstimator, PlannedEstimator } from './gradient-estimator';
import { checkLength } from './integrated-gradients';
import { normal } from './normal';
import { checkSamples } from './smooth-grad';

export interface GradientShapOptions {
  readonly input: Float64Array;
  /** Rows of [features] from which the baseline of each sample is drawn. */
  readonly background: readonly Float64Array[];
  /** Samples, 1 to 100000; without: 200. */
  readonly samples?: number;
  /** Standard deviation of normal noise on the input; without: 0. */
  readonly sigma?: number;
  readonly random: Random;
}

/** An attribution of which the standard errors are those of the sampling. */
export interface SampledAttribution extends Attribution {
  readonly standardErrors: Float64Array;
  readonly evaluations: number;
}

/**
 * GradientSHAP, or expected gradients (Lundberg; Erion et al. 2021): the mean of (x − b)·∇f(b + t(x − b)) over baselines b
 * of the background and t uniform in [0, 1]. Baselines take turns, in an order that is drawn anew for each round, and t
 * is drawn in strata, one for each sample of a block of ten: the same mean with less variance, of which the errors told
 * are an upper bound.
 */
export function gradientShap(options: GradientShapOptions): GradientEstimator<SampledAttribution> {
  const { input, background, samples = 200, sigma = 0, random } = options;
  const features = input.length;
  checkSamples(samples);
  if (background.length === 0)
    throw new ShoalError('INVALID_ARGUMENT', 'GradientSHAP needs a background of one row or more');
  if (!(sigma >= 0 && Number.isFinite(sigma)))
    throw new ShoalError('INVALID_ARGUMENT', `sigma is ${sigma}, it must be 0 or more`);
  for (const row of background) checkLength(row, features);
  const draw = normal(random);
  const baselines = rounds(background.length, random);
  const strata = rounds(10, random);
  const mean = new Moments(features);
  /** Differences x − b of the rows that were given out and not yet told. */
  const pending: Float64Array[] = [];
  let outputValue = 0;
  let baseSum = 0;
  const extra = 1 + background.length;
  return new PlannedEstimator<SampledAttribution>({
    features,
    // First the input and the background, for their outputs.
    total: extra + samples,
    write(index, into, offset) {
      if (index < extra) {
        into.set(index === 0 ? input : (background[index - 1] as Float64Array), offset);
        return;
      }
      const from = background[baselines()] as Float64Array;
      const t = (strata() + random.next()) / 10;
      const difference = new Float64Array(features);
      for (const [at, value] of input.entries()) {
        const base = from[at] as number;
        difference[at] = (sigma === 0 ? value : value + sigma * draw()) - base;
        into[offset + at] = base + t * (difference[at] as number);
      }
      pending.push(difference);
    },
    absorb(index, gradients, offset, value) {
      if (index === 0) outputValue = value;
      else if (index < extra) baseSum += value;
      else {
        const difference = pending.shift() as Float64Array;
        for (let at = 0; at < features; at += 1)
          difference[at] = (difference[at] as number) * (gradients[offset + at] as number);
        mean.add(difference);
      }
    },
    result() {
      if (mean.count === 0) return undefined;
      const standardErrors = mean.errors();
      return {
        ...attribution(mean.mean.slice(), standardErrors, baseSum / background.length, outputValue),
        standardErrors,
        evaluations: extra + mean.count,
      };
    },
  });
}

/** Numbers below `count`, each once in a round, in an order of each round's own. */
function rounds(count: number, random: Random): () => number {
  const order = identity(count);
  let at = count;
  return () => {
    if (at === count) {
      at = 0;
      shuffleFront(order, count, random);
    }
    at += 1;
    return order[at - 1] as number;
  };
}
