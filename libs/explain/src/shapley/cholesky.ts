/**
 * Factors a symmetric positive definite A, [n × n] row-major, into L·Lᵀ: L is left in the lower half of `a`.
 * False: A is singular to working precision.
 */
export function factorSymmetric(a: Float64Array, n: number): boolean {
  let scale = 0;
  for (let i = 0; i < n; i++) scale = Math.max(scale, a[i * n + i] as number);
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number);
      if (i > j) a[i * n + j] = sum / (a[j * n + j] as number);
      else if (sum > 1e-12 * scale) a[j * n + j] = Math.sqrt(sum);
      else return false;
    }
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
    let sum = b[i] as number;
    for (let k = i + 1; k < n; k++) sum -= (a[k * n + i] as number) * (b[k] as number);
    b[i] = sum / (a[i * n + i] as number);
  }
}

/**
 * Solves A·x = b in place for a symmetric positive definite A, [n × n] row-major (both are overwritten, x is left in b).
 * False: A is singular to working precision.
 */
export function solveSymmetric(a: Float64Array, b: Float64Array): boolean {
  if (!factorSymmetric(a, b.length)) return false;
  substitute(a, b);
  return true;
}
