import { createHistogram } from 'node:perf_hooks';

/** What a window's latencies look like. Milliseconds; NaN where nothing was recorded. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
}

const nsPerMs = 1e6;

/** Node's histogram, which this version of its types describes only in part. */
interface Histogram {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly stddev: number;
  percentile(percent: number): number;
  record(ns: number): void;
}

interface HistogramOptions {
  readonly lowest: number;
  readonly highest: number;
  readonly figures: number;
}

/** An hour: longer than any call that is waited for. */
const highestNs = 3600 * 1000 * nsPerMs;

/**
 * Latencies in an HdrHistogram (Node's own) of nanoseconds with three significant figures: constant memory, at most
 * 0.1 % off, whatever is recorded.
 */
export class Latencies {
  readonly #histogram = (createHistogram as unknown as (options: HistogramOptions) => Histogram)({
    ...{ lowest: 1, highest: highestNs, figures: 3 },
  });

  /** Outside 1 ns … 1 h it is recorded as the nearest of these. */
  record(ms: number): void {
    const ns = Math.round(ms * nsPerMs);
    this.#histogram.record(ns < 1 ? 1 : ns > highestNs ? highestNs : ns);
  }

  /** The latency that `percent` of the requests did not exceed; NaN when there were none. */
  percentile(percent: number): number {
    if (this.#histogram.count === 0) return Number.NaN;
    return this.#histogram.percentile(percent) / nsPerMs;
  }

  summary(): LatencySummary {
    const { count } = this.#histogram;
    const of = (ns: number) => (count === 0 ? Number.NaN : ns / nsPerMs);
    return {
      count,
      mean: of(this.#histogram.mean),
      min: of(this.#histogram.min),
      max: of(this.#histogram.max),
      stddev: of(this.#histogram.stddev),
      p50: this.percentile(50),
      p90: this.percentile(90),
      p95: this.percentile(95),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
    };
  }
}
