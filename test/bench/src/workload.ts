/** One thing to measure: a tensor size under a kind of call at a concurrency. */
export interface Workload {
  /** A model of the bench repository: FP32 [-1] → the same. */
  readonly model: string;
  readonly tensor: string;
  /** FP32 elements of one request. */
  readonly elements: number;
  readonly call: 'unary' | 'stream';
  /** Requests in flight. */
  readonly concurrency: number;
}

/** What a load generator saw. Latencies in milliseconds, from the send to the whole answer. */
export interface LoadResult {
  readonly requests: number;
  readonly errors: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** The generator's own CPU, to see that it is not the limit. */
  readonly cpuMs: number;
}

const sizes = [
  { model: 'identity', tensor: '64 B', elements: 16 },
  { model: 'identity', tensor: '602 KB', elements: 3 * 224 * 224 },
];

export const workloads: readonly Workload[] = sizes.flatMap((size) =>
  (['unary', 'stream'] as const).flatMap((call) =>
    [1, 16, 64].map((concurrency) => Object.assign({ call, concurrency }, size)),
  ),
);

/** The value below which the fraction `q` of the sorted values lies (nearest rank). */
export function percentile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}
