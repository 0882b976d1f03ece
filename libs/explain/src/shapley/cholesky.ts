import { atOnce, type Steps } from '../steps';

/**
 * Factors a symmetric positive definite A, [n × n] row-major, into L·Lᵀ: L is left in the lower half of `a`.
 * False: A is singular to working precision.
 */
export function factorSymmetric(a: Float64Array, n: number): boolean {
  return atOnce(factorSteps(a, n));
}

/** Multiplications of one step: a few milliseconds. */
const stepSize = 1 << 21;

/** As {@link factorSymmetric}, in steps of a few milliseconds. */
export function* factorSteps(a: Float64Array, n: number): Steps<boolean> {
  let scale = 0;
  let left = stepSize;
  for (let i = 0; i < n; i++) scale = Math.max(scale, a[i * n + i] as number);
  for (let j = 0; j < n; j++) {
    left -= (n - j) * j;
    if (left < 0) {
      left = stepSize;
      yield;
    }
    if (!factorColumn(a, n, j, scale)) return false;
  }
  return true;
}

/** Column j of L, those before it being done. */
function factorColumn(a: Float64Array, n: number, j: number, scale: number): boolean {
  for (let i = j; i < n; i++) {
    let sum = a[i * n + j] as number;
    for (let k = 0; k < j; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number);
    if (i > j) a[i * n + j] = sum / (a[j * n + j] as number);
    else if (sum > 1e-12 * scale) a[j * n + j] = Math.sqrt(sum);
    else return false;
  }
  return true;
}

/** Solves L·Lᵀ·x = b for a factor L of {@link factorSymmetric}; x is left in b. */
export function substitute(a: Float64Array, b: Float64Array): void {
  const n = b.length;
  for (let i = 0; i < n; i++) {
    let sum = b[i] as number;
    for (let k = 0; k < i; k++) sum -= (a[i * n + k] as number) * (b[k] as number);
    b[i] = sum / (a[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    const value = (b[i] as number) / (a[i * n + i] as number);
    b[i] = value;
    for (let k = 0; k < i; k++) b[k] = (b[k] as number) - (a[i * n + k] as number) * value;
  }
}
