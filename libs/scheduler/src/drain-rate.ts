/** How long the rows are counted that make one measurement, in milliseconds. */
const windowMs = 1_000;

/** Share of the newest measurement. */
const weight = 0.5;

/**
 * How fast a queue's runners work off what waits: rows a millisecond, measured while a full batch waits for a runner, and only then: at
 * other times it says how much is asked, not how much could be done.
 */
export class DrainRate {
  /** 0 = not known. */
  rowsPerMs = 0;
  #since = Infinity;
  #rows = 0;

  /** Something waits, and no runner is free. */
  waits(now: number): void {
    if (this.#since !== Infinity) return;
    this.#since = now;
    this.#rows = 0;
  }

  /** A batch of `rows` ended; `over`: what waits makes no full batch any more. */
  done(now: number, rows: number, over: boolean): void {
    if (this.#since === Infinity) return;
    this.#rows += rows;
    const passedMs = now - this.#since;
    if (passedMs >= windowMs) {
      const rate = this.#rows / passedMs;
      this.rowsPerMs = this.rowsPerMs === 0 ? rate : this.rowsPerMs + weight * (rate - this.rowsPerMs);
      this.#since = now;
      this.#rows = 0;
    }
    if (over) this.#since = Infinity;
  }

  /** More can be done than before. */
  forget(): void {
    this.rowsPerMs = 0;
    this.#since = Infinity;
  }
}
