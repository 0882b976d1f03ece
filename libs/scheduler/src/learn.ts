import type { Batch } from './batch';
import { LatencyTable } from './latency/latency-table';
import type { BatchResult } from './run-outcome';

/** A runner's first batches, which fill caches and memory, teach nothing. */
const warmUpBatches = 3;

/** Learns what a batch took that ran; `tookMs` of its runner's time, in all. */
export function learn<T>(
  { queue, runner, rows, bytes }: Batch<T>,
  result: BatchResult,
  tookMs: number,
  now: number,
): void {
  runner.ran += 1;
  // Of a batch that some never came to, nobody knows for how long it waited for them.
  if (runner.ran <= warmUpBatches || result.outcome !== 'ok' || result.absent.length > 0) return;
  const runMs = measuredMs(result) ?? tookMs;
  if (queue.latency.observe(now, LatencyTable.bucket(bytes, rows), rows, runMs, tookMs)) queue.relearn();
}

function measuredMs({ computeInputNs, computeInferNs, computeOutputNs }: BatchResult): number | undefined {
  if (computeInputNs === undefined || computeInferNs === undefined || computeOutputNs === undefined) return undefined;
  return (computeInputNs + computeInferNs + computeOutputNs) / 1e6;
}
