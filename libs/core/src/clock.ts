/** Gives back a timer that has not fired yet; harmless afterwards. */
export type CancelTimer = () => void;

/**
 * The only source of time in Shoal. Everything that waits or measures takes one, so that tests and the simulator can
 * put a virtual clock in its place.
 */
export interface Clock {
  /** Monotonic time in milliseconds with a fraction; its origin means nothing, differences do. */
  now(): number;
  /** Wall-clock time in whole milliseconds since 1970, for humans and for Triton's `last_inference`. */
  epochMs(): number;
  /** Calls `fire` once after `delayMs` (clamped to 0 … 2^31-1). The timer alone does not keep the process alive. */
  schedule(delayMs: number, fire: () => void): CancelTimer;
}

/** Node cannot hold longer timers: beyond this a timeout fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** Real time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  epochMs: () => Date.now(),
  schedule(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(delayMs, 0), maxTimerMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. Keeps the process alive while it waits. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    // The injected clock's timers are unreferenced on purpose; a sleeper is somebody who waits, so hold the loop open.
    const hold = setInterval(() => undefined, maxTimerMs);
    const finish = (settle: () => void) => {
      clearInterval(hold);
      cancel();
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => finish(() => reject(signal?.reason as Error));
    const cancel = clock.schedule(ms, () => finish(resolve));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
