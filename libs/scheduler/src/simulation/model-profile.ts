import { ShoalError } from '@shoal/core';

/** How long runs of so many rows took, measured one at a time. */
export interface ProfilePoint {
  readonly rows: number;
  /** What a run takes of its runner, mean. */
  readonly runMs: number;
  /**
   * How far the latency of single requests lay from its median, as a step function's corners: pairs of a share (0 … 1, rising) and
   * milliseconds. Empty = no noise.
   */
  readonly noiseMs: readonly (readonly [share: number, ms: number])[];
}

/** A model as the simulator sees it. Kept as a small JSON file: docs/simulate.md describes its fields. */
export interface ModelProfile {
  readonly model: string;
  /** Rows of a batch at most. */
  readonly maxBatchSize: number;
  /** False: each request runs alone. */
  readonly dynamicBatching: boolean;
  readonly preferredBatchSizes: readonly number[];
  readonly maxQueueDelayMs: number;
  /** A run of b rows takes fixedMs + rowMs · b: of the points, or of sizes that lie beyond them. */
  readonly fixedMs: number;
  readonly rowMs: number;
  /** Rising in rows; empty = the line is all that is known. */
  readonly points: readonly ProfilePoint[];
  /** Standard deviation of a run over its mean, where there are no points. */
  readonly variation: number;
  /** From a client's call until batching knows of it, and from a run's end until the client has its answer, together. */
  readonly overheadMs: number;
  /** From the decision to send a batch to a runner until it could begin. Where it is sent ahead, it travels while another one runs. */
  readonly transferMs: number;
  /** From the end of a run until batching knows of it, and may send the next batch. */
  readonly doneMs: number;
}

const fallback = {
  model: 'model',
  maxBatchSize: 1,
  dynamicBatching: true,
  preferredBatchSizes: [] as readonly number[],
  maxQueueDelayMs: 0,
  fixedMs: 0,
  rowMs: 0,
  points: [] as readonly ProfilePoint[],
  variation: 0,
  overheadMs: 0,
  transferMs: 0,
  doneMs: 0,
};

/**
 * A profile from what a file holds. What is left out is 0, no batching delay, no noise.
 * @throws ShoalError INVALID_ARGUMENT that names the field and what was expected there
 */
export function readProfile(json: unknown): ModelProfile {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong('expected a JSON object');
  for (const name of Object.keys(json)) {
    if (!Object.hasOwn(fallback, name) && name !== 'measured') throw wrong(`it has no field '${name}'`);
  }
  const given: typeof fallback = { ...fallback, ...json };
  if (typeof given.model !== 'string') throw wrong('model: expected a name');
  if (typeof given.dynamicBatching !== 'boolean') throw wrong('dynamicBatching: expected true or false');
  for (const name of [
    'maxQueueDelayMs',
    'fixedMs',
    'rowMs',
    'variation',
    'overheadMs',
    'transferMs',
    'doneMs',
  ] as const) {
    if (!isTime(given[name])) throw wrong(`${name}: expected a number from 0 on`);
  }
  if (!isCount(given.maxBatchSize)) throw wrong('maxBatchSize: expected a whole number from 1 on');
  const { preferredBatchSizes: sizes, maxBatchSize } = given;
  if (!Array.isArray(sizes) || !sizes.every((size) => isCount(size) && size <= maxBatchSize)) {
    throw wrong(`preferredBatchSizes: expected whole numbers from 1 to ${maxBatchSize}, which is maxBatchSize`);
  }
  const points = readPoints(given.points);
  if (points.length === 0 && !(given.fixedMs + given.rowMs > 0)) {
    throw wrong('fixedMs and rowMs: how long does a run take? One of them must be above 0, or there must be points');
  }
  const profile = { ...given, points };
  // What was measured it says anew, for people: the numbers are in the points.
  delete (profile as { measured?: unknown }).measured;
  return profile;
}

function readPoints(points: unknown): ProfilePoint[] {
  if (!Array.isArray(points)) throw wrong('points: expected a list');
  let before = 0;
  return (points as readonly Partial<ProfilePoint>[]).map((point, i) => {
    const where = `points[${i}]`;
    const { rows, runMs, noiseMs = [] } = point ?? {};
    if (!isCount(rows) || rows <= before) throw wrong(`${where}.rows: expected a whole number above ${before}`);
    if (!isTime(runMs) || runMs === 0) throw wrong(`${where}.runMs: expected a number above 0`);
    before = rows;
    return { rows, runMs, noiseMs: readNoise(where, noiseMs) };
  });
}

function readNoise(where: string, noise: unknown): [number, number][] {
  const expected = `${where}.noiseMs: expected pairs of a share that rises from 0 to 1 and of milliseconds that do not fall`;
  if (!Array.isArray(noise)) throw wrong(expected);
  let [share, ms] = [0, -Infinity];
  return (noise as readonly unknown[]).map((pair) => {
    if (!Array.isArray(pair) || !pair.every((one) => Number.isFinite(one))) throw wrong(expected);
    const [nextShare, nextMs] = pair as [number, number];
    if (!(nextShare >= share && nextShare <= 1 && nextMs >= ms)) throw wrong(expected);
    [share, ms] = [nextShare, nextMs];
    return [share, ms];
  });
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function wrong(text: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `the profile: ${text}`);
}

/** The line through points that has the least squared error, neither part below 0. One point: all of it is fixed. */
export function lineThrough(points: readonly Pick<ProfilePoint, 'rows' | 'runMs'>[]): {
  fixedMs: number;
  rowMs: number;
} {
  const mean = (of: (point: Pick<ProfilePoint, 'rows' | 'runMs'>) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [rows, ms] = [mean((point) => point.rows), mean((point) => point.runMs)];
  const spread = mean((point) => (point.rows - rows) ** 2);
  const slope = spread === 0 ? 0 : mean((point) => (point.rows - rows) * (point.runMs - ms)) / spread;
  const rowMs = Math.min(Math.max(0, slope), ms / rows);
  return { fixedMs: ms - rowMs * rows, rowMs };
}
