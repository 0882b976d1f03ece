import type { ModelKey, QueueReport } from '@shoal/bus';
import type { ModelQueue } from '@shoal/scheduler';
import { oldestMs, waiting } from '../metrics/queue-state';

/** How a queue stands, and what was learnt of its model. */
export function queueReport(version: ModelKey, queue: ModelQueue, now: number): QueueReport {
  let idle = 0;
  for (const runner of queue.runners) if (runner.batches.size === 0) idle += 1;
  return {
    model: version.model,
    version: version.version,
    queue: queue.key,
    waiting: waiting(queue),
    waitingRows: queue.plain.rows + queue.background.rows,
    oldestMs: oldestMs(queue, now),
    runners: queue.runners.size,
    idleRunners: idle,
    inFlight: queue.inFlight,
    curves: queue.latency.curves.map(({ bucket, alphaMs, betaMs, high, samples }) => ({
      ...{ bucket, alphaMs, betaMs, high, samples },
    })),
  };
}
