import { factorSymmetric, substitute } from '../shapley/cholesky';

/** Weighted samples of what a linear model is fitted to. */
export interface FitSamples {
  readonly terms: number;
  readonly outputs: number;
  readonly count: number;
  /** Calls `visit` for all samples in order, each time the same; `x` ([terms]) is a view, good during the call. */
  forEach(visit: (index: number, x: Float64Array, weight: number) => void): void;
  /** [count × outputs]. */
  readonly y: Float64Array;
}

export interface Fit {
  /** [terms]. */
  readonly coefficients: Float64Array;
  /** By the sandwich estimator, right whatever the noise is like and where the model is not linear, [terms]; NaN with too few samples. */
  readonly standardErrors: Float64Array;
  readonly intercept: number;
  /** Part of the weighted variance that the linear model accounts for; NaN where there is none. */
  readonly r2: number;
}

/**
 * Ridge regression by weighted least squares, for each output: min Σ wᵢ(yᵢ − a − xᵢ·β)² + ridge·|β|². Errors are those of
 * A⁻¹·(Σ wᵢ²eᵢ²·xᵢxᵢᵀ)·A⁻¹ with A = Σ wᵢ·xᵢxᵢᵀ + ridge (Huber's sandwich), times n/(n − terms − 1).
 * @returns undefined where the samples do not determine the coefficients
 */
export function weightedFit(samples: FitSamples, ridge: number): readonly Fit[] | undefined {
  const { terms, outputs, count, y } = samples;
  const n = terms + 1;
  const a = new Float64Array(n * n);
  const solutions = Array.from({ length: outputs }, () => new Float64Array(n));
  const means = new Float64Array(outputs);
  let total = 0;
  // The intercept is the last term, and always 1.
  const term = (x: Float64Array, i: number): number => (i < terms ? (x[i] as number) : 1);
  samples.forEach((index, x, weight) => {
    total += weight;
    for (let i = 0; i < n; i++) {
      const left = weight * term(x, i);
      if (left === 0) continue;
      for (let j = 0; j <= i; j++) a[i * n + j] = (a[i * n + j] as number) + left * term(x, j);
      for (const [o, b] of solutions.entries()) b[i] = (b[i] as number) + left * (y[index * outputs + o] as number);
    }
    for (let o = 0; o < outputs; o++)
      means[o] = (means[o] as number) + (weight / total) * ((y[index * outputs + o] as number) - (means[o] as number));
  });
  for (let i = 0; i < terms; i++) a[i * n + i] = (a[i * n + i] as number) + ridge;
  if (!factorSymmetric(a, n)) return undefined;
  for (const b of solutions) substitute(a, b);

  const variances = solutions.map(() => new Float64Array(terms));
  const unexplained = new Float64Array(outputs);
  const variance = new Float64Array(outputs);
  const influence = new Float64Array(n);
  samples.forEach((index, x, weight) => {
    influence.set(x);
    influence[terms] = 1;
    substitute(a, influence);
    for (const [o, b] of solutions.entries()) {
      const value = y[index * outputs + o] as number;
      let residual = value - (b[terms] as number);
      for (let i = 0; i < terms; i++) residual -= (b[i] as number) * (x[i] as number);
      unexplained[o] = (unexplained[o] as number) + weight * residual * residual;
      variance[o] = (variance[o] as number) + weight * (value - (means[o] as number)) ** 2;
      const sums = variances[o] as Float64Array;
      for (let i = 0; i < terms; i++)
        sums[i] = (sums[i] as number) + (weight * residual * (influence[i] as number)) ** 2;
    }
  });
  const correction = count > n ? count / (count - n) : Number.NaN;
  return solutions.map((b, o) => ({
    coefficients: b.slice(0, terms),
    standardErrors: (variances[o] as Float64Array).map((sum) => Math.sqrt(sum * correction)),
    intercept: b[terms] as number,
    r2: (variance[o] as number) > 0 ? 1 - (unexplained[o] as number) / (variance[o] as number) : Number.NaN,
  }));
}
