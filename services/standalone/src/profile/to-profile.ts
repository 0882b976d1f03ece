import type { BenchRow } from '@shoal/load';
import { type ModelProfile, type ProfilePoint, lineThrough } from '@shoal/scheduler';

/** What a model's config says of its batching (inference.ModelConfig). */
export interface BatchingConfig {
  readonly max_batch_size: number;
  readonly dynamic_batching?: {
    readonly preferred_batch_size: readonly number[];
    readonly max_queue_delay_microseconds: number;
  } | null;
}

/** Rows of each request of a window, one in flight at a time, and what was seen. */
export interface MeasuredSize {
  readonly rows: number;
  readonly windows: readonly BenchRow[];
}

/** Two requests in flight, of one row each: one runs while the other waits. */
export interface MeasuredPair {
  readonly windows: readonly BenchRow[];
}

/** Milliseconds of one window, as means but for the latency. */
interface Parts {
  readonly row: BenchRow;
  readonly runMs: number;
  /** All of the latency that is neither run nor wait. */
  readonly aroundMs: number;
}

/** Where the turn from one run to the next could not be measured, it is taken to be this part of what is around a run. */
const usualTurn = 1 / 2;

/**
 * A profile of what was measured. With one request in flight, what the server says that it computed is the run, and what remains of
 * the latency is the way to the runner and back; of a server that keeps no statistics all of it is the run. With two in flight the
 * runner is always wanted: the time between executions that is not run is the turn from one to the next, half of it to
 * learn of the end and half to bring the next batch.
 */
export function toProfile(
  model: string,
  config: BatchingConfig,
  sizes: readonly MeasuredSize[],
  pair: MeasuredPair | undefined,
): ModelProfile {
  const medians = sizes.map(({ rows, windows }) => ({
    rows,
    parts: median(windows.map(partsOf), ({ runMs }) => runMs),
  }));
  const points = medians.map(({ rows, parts }): ProfilePoint => ({
    rows,
    runMs: rounded(parts.runMs),
    noiseMs: noiseOf(parts.row),
  }));
  const aroundMs = median(medians, ({ parts }) => parts.aroundMs).parts.aroundMs;
  const turnMs = Math.min(aroundMs, turnOf(pair) ?? aroundMs * usualTurn);
  const { dynamic_batching: dynamic } = config;
  const { fixedMs, rowMs } = lineThrough(points);
  return {
    model,
    maxBatchSize: Math.max(1, config.max_batch_size),
    dynamicBatching: Boolean(dynamic),
    preferredBatchSizes: dynamic?.preferred_batch_size ?? [],
    maxQueueDelayMs: (dynamic?.max_queue_delay_microseconds ?? 0) / 1000,
    fixedMs: rounded(fixedMs),
    rowMs: rounded(rowMs),
    points,
    variation: 0,
    overheadMs: rounded(aroundMs - turnMs / 2),
    transferMs: rounded(turnMs / 2),
    doneMs: rounded(turnMs / 2),
  };
}

function partsOf(row: BenchRow): Parts {
  const { server, latency } = row;
  if (server === null || !(server.executions > 0)) return { row, runMs: latency.p50, aroundMs: 0 };
  const runMs = computeOf(server);
  return { row, runMs, aroundMs: Math.max(0, latency.p50 - runMs - server.queueMs) };
}

function computeOf(server: NonNullable<BenchRow['server']>): number {
  return server.computeInputMs + server.computeInferMs + server.computeOutputMs;
}

function turnOf(pair: MeasuredPair | undefined): number | undefined {
  const turns = (pair?.windows ?? []).flatMap(({ server, windowMs }) =>
    server !== null && server.executions > 0 ? [windowMs / server.executions - computeOf(server)] : [],
  );
  return turns.length === 0
    ? undefined
    : Math.max(
        0,
        median(turns, (turn) => turn),
      );
}

function noiseOf({ latency }: BenchRow): [number, number][] {
  const { min, p50, p90, p95, p99, p999, max } = latency;
  const corners: [number, number][] = [
    ...([
      [0, min],
      [0.5, p50],
      [0.9, p90],
    ] as const),
    ...([
      [0.95, p95],
      [0.99, p99],
      [0.999, p999],
      [1, max],
    ] as const),
  ].map(([share, ms]) => [share, rounded(ms - p50)]);
  return corners;
}

function median<T>(all: readonly T[], by: (one: T) => number): T {
  return all.toSorted((a, b) => by(a) - by(b))[Math.floor((all.length - 1) / 2)] as T;
}

/** To a tenth of a microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1e4) / 1e4;
}
