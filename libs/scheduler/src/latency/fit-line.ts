/** A point to fit: batches of about `rows` rows took `ms`, and so many were seen. */
export interface FitPoint {
  readonly rows: number;
  readonly ms: number;
  readonly count: number;
}

/** ℓ(b) = alphaMs + betaMs · b; neither is below 0. */
export interface Line {
  readonly alphaMs: number;
  readonly betaMs: number;
}

/**
 * The line with the least sum of squared relative errors, each point weighted by its count: what a batch costs varies in
 * proportion to what it costs. There must be two points at least, of different rows, with times above 0.
 */
export function fitLine(points: readonly FitPoint[]): Line {
  let w = 0;
  let wb = 0;
  let wbb = 0;
  let wy = 0;
  let wby = 0;
  for (const { rows, ms, count } of points) {
    const weight = count / (ms * ms);
    w += weight;
    wb += weight * rows;
    wbb += weight * rows * rows;
    wy += weight * ms;
    wby += weight * rows * ms;
  }
  const betaMs = (w * wby - wb * wy) / (w * wbb - wb * wb);
  const alphaMs = (wy - betaMs * wb) / w;
  // A line that falls, or one that begins below nothing, is an accident of noise: the best without that part.
  if (betaMs < 0) return { alphaMs: wy / w, betaMs: 0 };
  if (alphaMs < 0) return { alphaMs: 0, betaMs: wby / wbb };
  return { alphaMs, betaMs };
}
