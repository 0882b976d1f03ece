import type { Duration, ModelKey, VersionStatistics } from '@shoal/bus';
import type { Rejection } from '@shoal/scheduler';
import type { TracePlace } from '@shoal/telemetry';
import type { FailureReason, ShedReason, VersionMeters } from './metrics/version-meters';

class Sum {
  count = 0;
  ns = 0;

  add(ns: number): void {
    this.count += 1;
    this.ns += ns;
  }

  get value(): Duration {
    return { count: this.count, ns: Math.round(this.ns) };
  }
}

/** Nanoseconds that a batch spent in each part of its run. */
export interface RunTimes {
  readonly computeInputNs: number;
  readonly computeInferNs: number;
  readonly computeOutputNs: number;
}

const shedReasons: Partial<Record<Rejection['reason'], ShedReason>> = {
  full: 'queue_full',
  overload: 'overload',
  timeout: 'timeout',
  refused: 'refused',
};

/** A full queue is none to Triton. Deadlines are counted by routers, which may be first to see them pass; what ends a queue they try again. */
const failureReasons: Partial<Record<Rejection['reason'], FailureReason>> = {
  model: 'BACKEND',
  timeout: 'REJECTED',
  refused: 'OTHER',
};

/**
 * What happened to one loading of a model version, counted as Triton counts: requests for success, fail, queue and
 * compute (each request of a batch is charged the whole batch's compute), batch items for inferences, batches for
 * executions. Cancelled requests and those refused for a full queue are not counted at all. Metrics of the version, where there are
 * any, are told of the same.
 */
export class StatisticsRecord {
  readonly version: ModelKey;
  readonly meters: VersionMeters | undefined;
  #lastInferenceMs = 0;
  #inferenceCount = 0;
  #executionCount = 0;
  readonly #success = new Sum();
  readonly #fail = new Sum();
  readonly #queue = new Sum();
  readonly #input = new Sum();
  readonly #infer = new Sum();
  readonly #output = new Sum();
  readonly #batches = new Map<number, { input: Sum; infer: Sum; output: Sum }>();

  constructor(version: ModelKey, meters: VersionMeters | undefined) {
    this.version = version;
    this.meters = meters;
  }

  /** A batch of so many rows and requests ran. */
  executed(rows: number, requests: number, times: RunTimes, epochMs: number): void {
    this.meters?.executed(rows, requests, times);
    this.#executionCount += 1;
    this.#lastInferenceMs = epochMs;
    let batch = this.#batches.get(rows);
    if (batch === undefined) {
      batch = { input: new Sum(), infer: new Sum(), output: new Sum() };
      this.#batches.set(rows, batch);
    }
    batch.input.add(times.computeInputNs);
    batch.infer.add(times.computeInferNs);
    batch.output.add(times.computeOutputNs);
  }

  /** A request was answered. `queueNs`: from its acceptance to the start of its compute; `totalNs`: to its end. */
  succeeded(rows: number, totalNs: number, queueNs: number, times: RunTimes, place?: TracePlace): void {
    this.meters?.succeeded(rows, totalNs, queueNs, times, place);
    this.#inferenceCount += rows;
    this.#success.add(totalNs);
    this.#queue.add(queueNs);
    this.#input.add(times.computeInputNs);
    this.#infer.add(times.computeInferNs);
    this.#output.add(times.computeOutputNs);
  }

  /** A request got no answer. It counts as failed when that was the model's doing, or it waited for too long. */
  rejected(reason: Rejection['reason'], totalNs: number): void {
    if (reason === 'model' || reason === 'timeout') this.#fail.add(totalNs);
    const { meters } = this;
    if (meters === undefined) return;
    const shed = shedReasons[reason];
    const failure = failureReasons[reason];
    if (shed !== undefined) meters.shed(shed);
    if (failure !== undefined) meters.failed(failure);
  }

  /** The counts so far. Batch sizes ascend. */
  report(): VersionStatistics {
    return {
      model: this.version.model,
      version: this.version.version,
      lastInferenceMs: this.#lastInferenceMs,
      inferenceCount: this.#inferenceCount,
      executionCount: this.#executionCount,
      success: this.#success.value,
      fail: this.#fail.value,
      queue: this.#queue.value,
      computeInput: this.#input.value,
      computeInfer: this.#infer.value,
      computeOutput: this.#output.value,
      batches: [...this.#batches]
        .toSorted(([a], [b]) => a - b)
        .map(([batchSize, { input, infer, output }]) => ({
          batchSize,
          computeInput: input.value,
          computeInfer: infer.value,
          computeOutput: output.value,
        })),
    };
  }
}
