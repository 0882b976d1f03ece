/** Kullback-Leibler divergence of two Bernoulli distributions, in nats. */
export function divergence(p: number, q: number): number {
  const part = (a: number, b: number): number => (a === 0 ? 0 : a * Math.log(a / b));
  return part(p, q) + part(1 - p, 1 - q);
}

/** The greatest mean q ≥ p whose divergence from the observed p is at most `level`. */
export function upperBound(p: number, level: number): number {
  let [inside, outside] = [p, 1];
  for (let step = 0; step < 50; step++) {
    const middle = (inside + outside) / 2;
    if (divergence(p, middle) > level) outside = middle;
    else inside = middle;
  }
  return inside;
}

/** The least mean q ≤ p whose divergence from the observed p is at most `level`. */
export function lowerBound(p: number, level: number): number {
  return 1 - upperBound(1 - p, level);
}

/** How far KL-LUCB trusts `arms` means at round `t`, failing with probability δ (Kaufmann & Kalyanakrishnan 2013): k = 405.5, α = 1.1. */
export function exploration(arms: number, t: number, delta: number): number {
  const level = Math.log((405.5 * arms * t ** 1.1) / delta);
  return level + Math.log(level);
}
