import type { Clock } from '@shoal/core';

/** Looks at the clock at most so often for its next whole millisecond; on real time it is found sooner. */
const maxLooks = 20_000;
/** How far the two clocks may have drifted apart, or the wall clock been set, before it counts, in ms. */
const tolerance = 2;

/** Turns the clock's monotonic times into wall-clock times of better than its whole milliseconds. */
export class WallTime {
  readonly #clock: Clock;
  #offset: number;

  /** Takes up to a millisecond. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = findOffset(clock);
  }

  /** What to add to `now()` for ms since 1970, with a fraction. */
  get offset(): number {
    return this.#offset;
  }

  /** Follows a wall clock that was set. To be called now and then. */
  check(): void {
    const seen = this.#clock.epochMs() - this.#clock.now();
    // The whole millisecond lies up to one behind.
    if (seen > this.#offset + tolerance || seen < this.#offset - 1 - tolerance) this.#offset = findOffset(this.#clock);
  }
}

function findOffset(clock: Clock): number {
  const first = clock.epochMs();
  for (let look = 0; look < maxLooks; look++) {
    const epoch = clock.epochMs();
    const now = clock.now();
    if (epoch !== first) return epoch - now;
  }
  // A clock that stands, in a test.
  return first - clock.now();
}
