import { type Clock, sleep } from '@shoal/core';

/** A wait for the last answer, with an end. */
export class Idle {
  readonly #clock: Clock;
  #abort: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing is in flight any more. */
  reached(): void {
    this.#abort?.abort();
  }

  /** Resolves with `reached`, or after `limitMs`. */
  async wait(limitMs: number): Promise<void> {
    this.#abort = new AbortController();
    await sleep(this.#clock, limitMs, this.#abort.signal).catch(() => undefined);
  }
}
