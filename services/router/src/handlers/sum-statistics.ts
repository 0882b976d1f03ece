import type { Duration, VersionStatistics } from '@shoal/bus';

/** One entry per model version, of what the batching instances counted: a queue that moved was counted by several. */
export function sumStatistics(all: readonly VersionStatistics[]): VersionStatistics[] {
  const sums = new Map<string, VersionStatistics>();
  for (const one of all) {
    const key = `${one.model}/${one.version}`;
    const other = sums.get(key);
    sums.set(key, other ? sum(other, one) : one);
  }
  return [...sums.values()];
}

function sum(a: VersionStatistics, b: VersionStatistics): VersionStatistics {
  return {
    model: a.model,
    version: a.version,
    lastInferenceMs: Math.max(a.lastInferenceMs, b.lastInferenceMs),
    inferenceCount: a.inferenceCount + b.inferenceCount,
    executionCount: a.executionCount + b.executionCount,
    success: plus(a.success, b.success),
    fail: plus(a.fail, b.fail),
    queue: plus(a.queue, b.queue),
    computeInput: plus(a.computeInput, b.computeInput),
    computeInfer: plus(a.computeInfer, b.computeInfer),
    computeOutput: plus(a.computeOutput, b.computeOutput),
    batches: sumBatches([...a.batches, ...b.batches]),
  };
}

function sumBatches(all: VersionStatistics['batches']): VersionStatistics['batches'] {
  const sums = new Map<number, VersionStatistics['batches'][number]>();
  for (const one of all) {
    const other = sums.get(one.batchSize);
    const batch = other && {
      batchSize: one.batchSize,
      computeInput: plus(other.computeInput, one.computeInput),
      computeInfer: plus(other.computeInfer, one.computeInfer),
      computeOutput: plus(other.computeOutput, one.computeOutput),
    };
    sums.set(one.batchSize, batch ?? one);
  }
  return [...sums.values()].toSorted((a, b) => a.batchSize - b.batchSize);
}

function plus(a: Duration, b: Duration): Duration {
  return { count: a.count + b.count, ns: a.ns + b.ns };
}
