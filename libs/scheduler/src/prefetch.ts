import type { ModelQueue } from './model-queue';
import type { Runner } from './runner';

/*
 * A second batch is granted to a busy runner so that its bytes travel while the first one runs. That saves a round trip
 * per batch, and costs freedom: the batch no longer goes to whichever runner is free first, nor can it grow, nor give way
 * to a request of higher priority, nor leave by the queue's own timeout. So it is done only
 *  - for a batch that cannot grow any more (see BatchFormer.full), never for one that waiting would make larger;
 *  - while no runner is idle;
 *  - while the queue's recent batches are fast, all of them: then the saving is a sizeable part of the whole, and being
 *    bound to the wrong runner costs little. Of a queue that has run nothing yet nothing is known, so it waits.
 * Further ones are granted while all that a runner has will be done in a moment: a round trip would take longer than they.
 */

/** Slower queues grant nothing ahead: a round trip is a few per cent of such a batch at most. */
const maxBatchMs = 50;

/** The same where there is one runner only, so that no batch can be bound to the wrong one. */
const maxBatchMsOfOne = 200;

/** More than two batches are granted only where all that the runner then has should be done in this time, in milliseconds. */
const maxAheadMs = 3;

/** A runner is not called late before this, in milliseconds: timers and links are no more precise. */
const leastLateMs = 5;

/**
 * The busy runner that may load one more batch: the one that has been at its batch for longest, but none that is late,
 * for nobody knows when that will end.
 */
export function prefetcher<T>(queue: ModelQueue<T>, now: number): Runner<T> | undefined {
  if (queue.slowestMs > (queue.runners.size > 1 ? maxBatchMs : maxBatchMsOfOne)) return undefined;
  const lateAfter = Math.max(leastLateMs, 2 * queue.slowestMs);
  for (let runner = queue.spare.first; runner !== undefined; runner = runner.next) {
    const count = runner.batches.size;
    if (count >= 2 && (count + 1) * queue.meanMs > maxAheadMs) continue;
    if (now - runner.busySince <= lateAfter) return runner;
  }
  return undefined;
}
