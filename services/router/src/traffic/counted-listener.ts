import type { Clock, ShoalError } from '@shoal/core';
import type { InferListener } from '../infer/infer-call';
import type { FailureOrigin } from '../requests/pending-request';
import type { SideCounters } from './counters';

/** Counts what comes of a request, on its way to who asked. */
export class CountedListener implements InferListener {
  readonly #listener: InferListener;
  #counters: SideCounters;
  readonly #clock: Clock;
  readonly #acceptedAt: number;

  constructor(listener: InferListener, counters: SideCounters, clock: Clock) {
    this.#listener = listener;
    this.#counters = counters;
    this.#clock = clock;
    this.#acceptedAt = clock.now();
    counters.requests += 1;
  }

  /** The other side answers in place of the one it was accepted for. */
  moveTo(counters: SideCounters): void {
    this.#counters.requests -= 1;
    this.#counters = counters;
    counters.requests += 1;
  }

  answered(response: Buffer, done: boolean): void {
    this.#counters.answered += 1;
    this.#counters.answeredMs += this.#clock.now() - this.#acceptedAt;
    this.#listener.answered(response, done);
  }

  failed(error: ShoalError, origin: FailureOrigin): void {
    this.#counters.failed += 1;
    this.#listener.failed(error, origin);
  }

  allocate(length: number): Buffer {
    return this.#listener.allocate(length);
  }
}
