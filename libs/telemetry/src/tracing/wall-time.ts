import type { Clock } from '@shoal/core';

/** Looks at the clock at most so often for its next whole millisecond; on real time it is found sooner. */
const maxLooks = 20_000;
/** How far the two clocks may have drifted apart, or the wall clock been set, before it counts, in ms. */
const tolerance = 2;
/** Of two looks between which more time has passed, in ms, nothing is concluded: the process was not running. */
const maxGap = 0.1;

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
    const before = this.#clock.now();
    const epoch = this.#clock.epochMs();
    const after = this.#clock.now();
    if (after - before > maxGap) return;
    // The whole millisecond lies up to one behind.
    const behind = this.#offset - (epoch - after);
    if (behind < -tolerance || behind > 1 + tolerance) this.#offset = findOffset(this.#clock);
  }
}

/** Waits for the wall clock's next whole millisecond: the first look that shows it must have come soon after the last that did not. */
function findOffset(clock: Clock): number {
  let lastAt = clock.now();
  let last = clock.epochMs();
  for (let look = 0; look < maxLooks; look++) {
    const at = clock.now();
    const epoch = clock.epochMs();
    if (epoch !== last && clock.now() - lastAt <= maxGap) return epoch - at;
    lastAt = at;
    last = epoch;
  }
  // A clock that stands, in a test.
  return last - clock.now();
}
