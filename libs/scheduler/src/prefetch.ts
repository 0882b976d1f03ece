import type { ModelQueue } from './model-queue';
import type { Runner } from './runner';

/**
 * A second batch is granted to a busy runner so that its bytes travel while the first one runs. That saves a round trip
 * per batch, and costs freedom: the batch no longer goes to whichever runner is free first, nor can it grow, nor give way
 * to a request of higher priority. So it is done only where the saving is a sizeable part of the whole: while the
 * queue's recent batches are no slower than this. Beyond, one round trip is a few per cent at most.
 */
const maxPrefetchMs = 50;

/**
 * The busy runner that may load one more batch: the one that has been at its batch for longest, but none that is late,
 * for nobody knows when that will end.
 */
export function prefetcher<T>(queue: ModelQueue<T>, now: number): Runner<T> | undefined {
  if (queue.slowestMs > maxPrefetchMs) return undefined;
  const lateAfter = 2 * queue.slowestMs;
  for (const runner of queue.spare) if (now - runner.busySince <= lateAfter) return runner;
  return undefined;
}
