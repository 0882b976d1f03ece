import type { BucketCurve } from '@shoal/scheduler';

/** Told what is kept for a model version: what stands already, and each change. */
export type CurveListener = (name: string, curves: readonly BucketCurve[]) => void;

/** Keeps what was learnt of models over restarts, by the name `MODEL/VERSION`. Losing it costs a few hundred batches of learning. */
export interface CurveStore {
  watch(listener: CurveListener): void;
  /** Never throws: what cannot be kept is told to the log. */
  put(name: string, curves: readonly BucketCurve[]): void;
  /** Resolves when what was put is kept, or cannot be. */
  close(): Promise<void>;
}

/** What is written: of a form that says which it is. */
export interface KeptCurves {
  readonly v: 1;
  readonly curves: readonly BucketCurve[];
}

/** No queue has more shape buckets. */
const maxBuckets = 64;

/** What was written, where it makes sense; nothing of it where any of it does not: it was written by who knows whom. */
export function readCurves(kept: unknown): readonly BucketCurve[] {
  const { v, curves } = (kept ?? {}) as Partial<KeptCurves>;
  if (v !== 1 || !Array.isArray(curves) || curves.length > maxBuckets) return [];
  return curves.every(sane)
    ? curves.map(({ bucket, alphaMs, betaMs, high, samples }) => ({ bucket, alphaMs, betaMs, high, samples }))
    : [];
}

const longestMs = 86_400_000;

function sane(curve: unknown): curve is BucketCurve {
  const { bucket, alphaMs, betaMs, high, samples } = (curve ?? {}) as Partial<BucketCurve>;
  return (
    within(bucket, 0, maxBuckets - 1) &&
    Number.isInteger(bucket) &&
    within(alphaMs, 0, longestMs) &&
    within(betaMs, 0, longestMs) &&
    alphaMs + betaMs > 0 &&
    within(high, 0.5, 1_000) &&
    within(samples, 1, Number.MAX_SAFE_INTEGER)
  );
}

function within(value: number | undefined, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
