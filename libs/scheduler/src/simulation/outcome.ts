import type { LogHistogram } from './log-histogram';

/** A stretch of the simulated time. */
export interface Slice {
  /** Where it begins, in milliseconds from the start. */
  readonly fromMs: number;
  readonly offered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What a simulation showed. Requests count by when they came; those of the warm-up do not. */
export interface SimulationOutcome {
  readonly runners: number;
  /** Of the counted time. */
  readonly seconds: number;
  readonly offered: number;
  readonly answered: number;
  /** Requests that were refused or given up, by the scheduler's reason: full, timeout, deadline, … */
  readonly shed: Readonly<Record<string, number>>;
  /** From the client's call to its answer. */
  readonly latency: LogHistogram;
  /** In the queue: from batching's hearing of the request until its batch is sent to a runner. */
  readonly queueing: LogHistogram;
  /** Answered a second. */
  readonly throughput: number;
  /** Answered within the objective, a second; without one the same as `throughput`. */
  readonly goodput: number;
  /** Batches by their rows: index = rows. */
  readonly batchSizes: readonly number[];
  /** Rows a batch. */
  readonly meanBatch: number;
  /** Share of their time in which runners ran. */
  readonly utilisation: number;
  readonly slices: readonly Slice[];
  /** Everything that was simulated, warm-up too. */
  readonly events: number;
}
