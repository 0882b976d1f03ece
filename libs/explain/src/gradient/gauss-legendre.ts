/** A rule to integrate over [0, 1]: Σ weights·f(nodes). */
export interface Quadrature {
  /** Ascending, within (0, 1). */
  readonly nodes: Float64Array;
  /** Their sum is 1. */
  readonly weights: Float64Array;
}

/**
 * Gauss and Legendre's rule with `steps` nodes: exact for polynomials up to degree 2·steps − 1. Nodes are the zeros of
 * the Legendre polynomial, found by Newton's method from cos(π(i + ¾)/(n + ½)).
 */
export function gaussLegendre(steps: number): Quadrature {
  const nodes = new Float64Array(steps);
  const weights = new Float64Array(steps);
  for (let index = 0; index < (steps + 1) / 2; index += 1) {
    let x = Math.cos((Math.PI * (index + 0.75)) / (steps + 0.5));
    let slope = 0;
    // Quadratic convergence: five rounds reach the precision of a double, the bound is for safety.
    for (let round = 0; round < 20; round += 1) {
      let [previous, value] = [0, 1];
      for (let n = 1; n <= steps; n += 1)
        [previous, value] = [value, ((2 * n - 1) * x * value - (n - 1) * previous) / n];
      slope = (steps * (x * value - previous)) / (x * x - 1);
      const step = value / slope;
      x -= step;
      if (Math.abs(step) < 1e-16) break;
    }
    const weight = 1 / ((1 - x * x) * slope * slope);
    nodes[index] = (1 - x) / 2;
    nodes[steps - 1 - index] = (1 + x) / 2;
    weights[index] = weight;
    weights[steps - 1 - index] = weight;
  }
  return { nodes, weights };
}
