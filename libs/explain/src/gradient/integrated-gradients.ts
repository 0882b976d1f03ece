import { ShoalError } from '@shoal/core';

import { type Attribution, attribution } from '../attribution';
import { Moments } from '../games/moments';
import { gaussLegendre } from './gauss-legendre';
import { type GradientEstimator, PlannedEstimator } from './gradient-estimator';

export interface IntegratedGradientsOptions {
  /** What is explained, [features]. */
  readonly input: Float64Array;
  /** One or more rows of [features]; the attributions are averaged over them. */
  readonly baselines: readonly Float64Array[];
  /** Steps on each path, 1 to 1000; without: 50. */
  readonly steps?: number;
}

export interface PathAttribution extends Attribution {
  /** By baseline: f(x) − f(baseline) − Σ attributions. Large: more steps are needed. */
  readonly gaps: Float64Array;
  /** Rows evaluated, the input and the baselines included. */
  readonly evaluations: number;
}

/**
 * Integrated gradients (Sundararajan, Taly, Yan 2017): (x − b)·∫₀¹ ∇f(b + t(x − b)) dt, by Gauss and Legendre's rule.
 * There is a result as soon as the first baseline is finished. Standard errors, with two baselines and more, are of the
 * mean over baselines; with one there are none.
 */
export function integratedGradients(options: IntegratedGradientsOptions): GradientEstimator<PathAttribution> {
  const { input, baselines, steps = 50 } = options;
  const features = input.length;
  if (!(Number.isInteger(steps) && steps >= 1 && steps <= 1000))
    throw new ShoalError('INVALID_ARGUMENT', `steps is ${steps}, it must be from 1 to 1000`);
  if (baselines.length === 0) throw new ShoalError('INVALID_ARGUMENT', 'integrated gradients need a baseline');
  for (const baseline of baselines) checkLength(baseline, features);
  const { nodes, weights } = gaussLegendre(steps);
  const perBaseline = steps + 1;
  const total = 1 + baselines.length * perBaseline;
  const mean = new Moments(features);
  const path = new Float64Array(features);
  const gaps: number[] = [];
  let outputValue = 0;
  let baseSum = 0;
  let baseValue = 0;
  let told = 0;
  /** Which baseline and which node a row stands for; node −1: the baseline itself. */
  const placeOf = (index: number): { baseline: Float64Array; node: number } => ({
    baseline: baselines[Math.floor((index - 1) / perBaseline)] as Float64Array,
    node: ((index - 1) % perBaseline) - 1,
  });
  return new PlannedEstimator({
    features,
    total,
    write(index, into, offset) {
      if (index === 0) {
        into.set(input, offset);
        return;
      }
      const { baseline, node } = placeOf(index);
      const t = node < 0 ? 0 : (nodes[node] as number);
      for (const [at, from] of baseline.entries()) into[offset + at] = from + t * ((input[at] as number) - from);
    },
    absorb(index, gradients, offset, value) {
      told = index + 1;
      if (index === 0) {
        outputValue = value;
        return;
      }
      const { baseline, node } = placeOf(index);
      if (node < 0) {
        baseValue = value;
        path.fill(0);
        return;
      }
      const weight = weights[node] as number;
      for (let at = 0; at < features; at += 1)
        path[at] = (path[at] as number) + weight * (gradients[offset + at] as number);
      if (node < steps - 1) return;
      for (const [at, from] of baseline.entries()) path[at] = (path[at] as number) * ((input[at] as number) - from);
      gaps.push(outputValue - baseValue - path.reduce((all, one) => all + one, 0));
      baseSum += baseValue;
      mean.add(path);
    },
    result() {
      if (mean.count === 0) return undefined;
      const errors = baselines.length > 1 ? mean.errors() : undefined;
      return {
        ...attribution(mean.mean.slice(), errors, baseSum / mean.count, outputValue),
        gaps: Float64Array.from(gaps),
        evaluations: told,
      };
    },
  });
}

/** Refuses a row of another length than the input's. */
export function checkLength(row: Float64Array, features: number): void {
  if (row.length !== features)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `a baseline has ${row.length} values, the explained input has ${features}`,
    );
}
