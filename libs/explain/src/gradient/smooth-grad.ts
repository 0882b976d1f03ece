import { type Random, ShoalError } from '@shoal/core';

import { Moments } from '../games/moments';
import { type GradientEstimator, PlannedEstimator } from './gradient-estimator';
import { normal } from './normal';

/** How strongly, and in which direction, the output moves with each feature around the input: not a share of it. */
export interface Sensitivity {
  /** [features]. */
  readonly values: Float64Array;
  /** [features]; undefined: nothing was sampled. NaN: fewer than two samples so far. */
  readonly standardErrors: Float64Array | undefined;
  readonly outputValue: number;
  readonly evaluations: number;
}

/** What is made of a gradient: itself, its size, its square, or its product with the input. */
export type GradientForm = 'signed' | 'absolute' | 'squared' | 'times_input';

/** A gradient's component in one of the forms. */
export function formed(form: GradientForm, gradient: number, value: number): number {
  if (form === 'absolute') return Math.abs(gradient);
  if (form === 'squared') return gradient * gradient;
  return form === 'times_input' ? gradient * value : gradient;
}

/** Saliency (Simonyan, Vedaldi, Zisserman 2014): the gradient at the input, of one evaluation. */
export function saliency(input: Float64Array, form: GradientForm = 'absolute'): GradientEstimator<Sensitivity> {
  let answer: Sensitivity | undefined;
  return new PlannedEstimator<Sensitivity>({
    features: input.length,
    total: 1,
    write: (_index, into, offset) => into.set(input, offset),
    absorb(_index, gradients, offset, outputValue) {
      const values = input.map((value, at) => formed(form, gradients[offset + at] as number, value));
      answer = { values, standardErrors: undefined, outputValue, evaluations: 1 };
    },
    result: () => answer,
  });
}

export interface SmoothGradOptions {
  readonly input: Float64Array;
  /** Standard deviation of the noise: one for all features, or [features]. */
  readonly sigma: number | Float64Array;
  /** Noisy copies, 1 to 100000; without: 50. */
  readonly samples?: number;
  readonly form?: GradientForm;
  readonly random: Random;
}

/** SmoothGrad (Smilkov et al. 2017): the mean gradient over copies of the input with normal noise. */
export function smoothGrad(options: SmoothGradOptions): GradientEstimator<Sensitivity> {
  const { input, sigma, samples = 50, form = 'signed' } = options;
  checkSamples(samples);
  const features = input.length;
  const scale = typeof sigma === 'number' ? new Float64Array(features).fill(sigma) : sigma;
  if (scale.length !== features || !scale.every((size) => size >= 0 && Number.isFinite(size)))
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `sigma must be 0 or more, one number or one for each of ${features} features`,
    );
  const draw = normal(options.random);
  const mean = new Moments(features);
  const one = new Float64Array(features);
  let outputValue = 0;
  return new PlannedEstimator<Sensitivity>({
    features,
    // The first row is the input itself: its output is told with the answer.
    total: samples + 1,
    write(index, into, offset) {
      for (const [at, value] of input.entries())
        into[offset + at] = index === 0 ? value : value + (scale[at] as number) * draw();
    },
    absorb(index, gradients, offset, value) {
      if (index === 0) {
        outputValue = value;
        return;
      }
      for (const [at, held] of input.entries()) one[at] = formed(form, gradients[offset + at] as number, held);
      mean.add(one);
    },
    result() {
      if (mean.count === 0) return undefined;
      const standardErrors = mean.errors();
      return { values: mean.mean.slice(), standardErrors, outputValue, evaluations: mean.count + 1 };
    },
  });
}

/** Refuses a number of samples out of range. */
export function checkSamples(samples: number): void {
  if (!(Number.isInteger(samples) && samples >= 1 && samples <= 100_000))
    throw new ShoalError('INVALID_ARGUMENT', `samples is ${samples}, it must be from 1 to 100000`);
}
