import type { CancelTimer, Clock } from '@shoal/core';

/** One timer for the next tick. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #tick: () => void;
  #cancel: CancelTimer | undefined;

  constructor(clock: Clock, tick: () => void) {
    this.#clock = clock;
    this.#tick = tick;
  }

  /** Fires at `time` of the clock, in place of any time set before. */
  set(time: number): void {
    this.#cancel?.();
    this.#cancel = this.#clock.schedule(time - this.#clock.now(), () => {
      this.#cancel = undefined;
      this.#tick();
    });
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
