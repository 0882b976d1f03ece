import type { Clock } from '@shoal/core';

/** An alarm clock for the open loop. */
export interface Pacer {
  /** The one listener. */
  onWake(wake: () => void): void;
  /** Wakes once after `ms`, which may be a fraction; a later call replaces an earlier one. */
  wakeAfter(ms: number): void;
  close(): void;
}

/** A pacer on the clock's own timers, which Node rounds to whole milliseconds. */
export function timerPacer(clock: Clock): Pacer {
  let wake: () => void = () => undefined;
  let cancel: () => void = () => undefined;
  return {
    onWake(listener) {
      wake = listener;
    },
    wakeAfter(ms) {
      cancel();
      cancel = clock.schedule(ms, () => wake());
    },
    close: () => cancel(),
  };
}
