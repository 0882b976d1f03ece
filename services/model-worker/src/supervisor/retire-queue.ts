import { type RetireCall, instanceSubject, retireSubject } from '@shoal/bus';
import { sleep, toShoalError } from '@shoal/core';
import type { WorkerContext } from '../worker-context';

/** Pauses between tries; they double. */
const firstPauseMs = 100;
const lastPauseMs = 5_000;

/**
 * Has every batching instance empty a queue that this worker serves no more. Those that cannot be asked are asked again for
 * as long as they are announced: while NATS is away routers have not heard of what takes the queue's place either, and
 * go on sending to it. Resolves true when the queue is over at all of them, false when `signal` aborts before.
 */
export async function retireQueue(
  { batching, bus, clock, logger }: Pick<WorkerContext, 'batching' | 'bus' | 'clock' | 'logger'>,
  call: RetireCall,
  signal: AbortSignal,
): Promise<boolean> {
  const over = new Set<string>();
  const ask = async (id: string): Promise<void> => {
    const subject = instanceSubject(retireSubject, id);
    try {
      await bus.call(subject, call, { timeoutMs: call.timeoutMs + 1000, signal });
      over.add(id);
    } catch (thrown) {
      const { code, message } = toShoalError(thrown);
      logger.verbose(1, 'a queue was not drained', { queue: call.queue, batching: id, reason: message });
      // Asking again mends nothing else.
      if (code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED') over.add(id);
    }
  };
  const left = () => batching.ids.filter((id) => !over.has(id));
  for (let pauseMs = firstPauseMs; left().length > 0; pauseMs = Math.min(2 * pauseMs, lastPauseMs)) {
    await Promise.all(left().map(ask));
    if (signal.aborted) return false;
    if (left().length > 0) await sleep(clock, pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return false;
  }
  return true;
}
