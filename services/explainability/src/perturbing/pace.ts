import type { CancelTimer, Clock } from '@shoal/core';

/** What is kept at least for the answer's way back, as a part of all the time there is, and its bounds in ms. */
const part = 0.1;
const leastMs = 20;
const mostMs = 300;
/** What a round trip may take beyond the longest that was seen lately. */
const factor = 1.5;
/** How fast a long round trip is forgotten. */
const decay = 0.9;

/**
 * When to stop asking, so that an answer comes before the deadline: by as much earlier as round trips take.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #deadline: number;
  readonly #leastMs: number;
  #worstMs = 0;
  #sumMs = 0;
  #count = 0;
  #cancelTimer: CancelTimer | undefined;

  /** @param deadline on the clock's `now()`; undefined = never */
  constructor(clock: Clock, deadline: number | undefined) {
    this.#clock = clock;
    this.#deadline = deadline ?? Infinity;
    this.#leastMs = Math.min(Math.max(leastMs, part * (this.#deadline - clock.now())), mostMs);
  }

  /** A round trip has been measured. */
  measured(roundTripMs: number): void {
    this.#worstMs = Math.max(roundTripMs, this.#worstMs * decay);
    this.#sumMs += roundTripMs;
    this.#count += 1;
  }

  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  get requests(): number {
    return this.#count;
  }

  /** It is time to answer. */
  get late(): boolean {
    return this.#left() <= 0;
  }

  /** Calls `stop` when it is time to answer, unless `cancel` is called before. */
  watch(stop: () => void): void {
    if (this.#deadline === Infinity) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.schedule(Math.max(this.#left(), 0), () => {
      // It may have been put off meanwhile: a slow round trip has been forgotten.
      if (this.late) stop();
      else this.watch(stop);
    });
  }

  cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #left(): number {
    return this.#deadline - Math.max(this.#leastMs, factor * this.#worstMs) - this.#clock.now();
  }
}
