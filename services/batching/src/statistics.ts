import type { Duration, ModelKey, VersionStatistics } from '@shoal/bus';

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

/**
 * What happened to one loading of a model version, counted as Triton counts: requests for success, fail, queue and
 * compute (each request of a batch is charged the whole batch's compute), batch items for inferences, batches for
 * executions. Cancelled requests and those refused for a full queue are not counted at all.
 */
export class StatisticsRecord {
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

  /** A batch of so many rows ran. */
  executed(rows: number, times: RunTimes, epochMs: number): void {
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
  succeeded(rows: number, totalNs: number, queueNs: number, times: RunTimes): void {
    this.#inferenceCount += rows;
    this.#success.add(totalNs);
    this.#queue.add(queueNs);
    this.#input.add(times.computeInputNs);
    this.#infer.add(times.computeInferNs);
    this.#output.add(times.computeOutputNs);
  }

  /** A request failed in the model or waited for too long. */
  failed(totalNs: number): void {
    this.#fail.add(totalNs);
  }

  /** The counts so far. Batch sizes ascend. */
  report(key: ModelKey): VersionStatistics {
    return {
      model: key.model,
      version: key.version,
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
