import type { Random } from '@shoal/core';
import type { ModelProfile, ProfilePoint } from './model-profile';

/** Entries of a table of noise: the rarest event that it can tell apart is one in so many. */
const tableSize = 4096;

/** How long the runs of a profile take, with their noise. */
export class RunTimes {
  readonly #profile: ModelProfile;
  readonly #random: Random;
  /** Mean of each batch size, by rows. */
  readonly #means: Float64Array;
  /** Which of the tables is for a batch size. */
  readonly #tables: Float64Array[];
  readonly #relative: boolean;

  constructor(profile: ModelProfile, random: Random) {
    this.#profile = profile;
    this.#random = random;
    const { points, maxBatchSize, variation } = profile;
    this.#means = Float64Array.from({ length: maxBatchSize + 1 }, (_, rows) => meanOf(profile, Math.max(1, rows)));
    this.#relative = points.length === 0;
    const made = points.map(({ noiseMs }) => additiveTable(noiseMs));
    const even = this.#relative ? [logNormalTable(variation)] : made;
    this.#tables = Array.from(
      { length: maxBatchSize + 1 },
      (_, rows) => even[nearest(points, rows)] as Float64Array<ArrayBuffer>,
    );
  }

  /** Without noise, in milliseconds. */
  mean(rows: number): number {
    return this.#means[rows] ?? meanOf(this.#profile, rows);
  }

  /** A run's time in milliseconds, above 0. */
  sample(rows: number): number {
    const mean = this.mean(rows);
    const table = this.#tables[Math.min(rows, this.#tables.length - 1)] as Float64Array;
    const noise = table[Math.floor(this.#random.next() * tableSize)] as number;
    return this.#relative ? mean * noise : Math.max(mean / 2, mean + noise);
  }
}

/** Between two points on the line between them; beyond the last one along the fitted line; below the first one as that. */
function meanOf({ points, fixedMs, rowMs }: ModelProfile, rows: number): number {
  const line = (at: number) => fixedMs + rowMs * at;
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return line(rows);
  if (rows <= first.rows) return first.runMs;
  if (rows >= last.rows) return last.runMs + line(rows) - line(last.rows);
  const above = points.findIndex((point) => point.rows >= rows);
  const [a, b] = [points[above - 1] as ProfilePoint, points[above] as ProfilePoint];
  return a.runMs + ((b.runMs - a.runMs) * (rows - a.rows)) / (b.rows - a.rows);
}

function nearest(points: readonly ProfilePoint[], rows: number): number {
  let best = 0;
  for (const [i, point] of points.entries()) {
    if (Math.abs(point.rows - rows) < Math.abs((points[best] as ProfilePoint).rows - rows)) best = i;
  }
  return best;
}

/** The inverse of a distribution function, at the middles of equal shares: moved so that its mean is 0. */
function additiveTable(corners: readonly (readonly [number, number])[]): Float64Array<ArrayBuffer> {
  const table = new Float64Array(tableSize);
  if (corners.length === 0) return table;
  for (let i = 0; i < tableSize; i += 1) table[i] = between(corners, (i + 0.5) / tableSize);
  const mean = table.reduce((sum, value) => sum + value, 0) / tableSize;
  return table.map((value) => value - mean);
}

function between(corners: readonly (readonly [number, number])[], share: number): number {
  let before = corners[0] as readonly [number, number];
  for (const corner of corners) {
    if (corner[0] >= share) {
      const width = corner[0] - before[0];
      return width > 0 ? before[1] + ((corner[1] - before[1]) * (share - before[0])) / width : corner[1];
    }
    before = corner;
  }
  return before[1];
}

/** Factors of mean 1 with this standard deviation, log-normal: run times have a long tail to one side. */
function logNormalTable(variation: number): Float64Array<ArrayBuffer> {
  const sigma = Math.sqrt(Math.log(1 + variation ** 2));
  return Float64Array.from({ length: tableSize }, (_, i) =>
    Math.exp(sigma * normalQuantile((i + 0.5) / tableSize) - sigma ** 2 / 2),
  );
}

/** The normal distribution's inverse, good to 4.5e-4: Abramowitz & Stegun 26.2.23. */
function normalQuantile(share: number): number {
  const tail = Math.min(share, 1 - share);
  const t = Math.sqrt(-2 * Math.log(tail));
  const top = 2.515517 + t * (0.802853 + t * 0.010328);
  const bottom = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return (share < 0.5 ? -1 : 1) * (t - top / bottom);
}
