/** One measurement takes this long at least, in milliseconds, and so many batches: a single one may be anything. */
const windowMs = 1_000;
const windowBatches = 16;

/** Share of the newest measurement. */
const weight = 0.5;

/**
 * How fast a queue's runners work off what waits: rows a millisecond, measured from batch to batch while a full batch waits for a
 * runner, and only then: at other times it says how much is asked, not how much could be done.
 */
export class DrainRate {
  /** 0 = not known. */
  rowsPerMs = 0;
  /** Since when batches are counted; Infinity = they are not. */
  #since = Infinity;
  #rows = 0;
  #batches = 0;

  /** A batch of `rows` ended; `waits`: another full one waits. */
  done(now: number, rows: number, waits: boolean): void {
    if (!waits) {
      this.#since = Infinity;
      return;
    }
    // The first one that ends is no measure: it began before anything waited.
    if (this.#since === Infinity) {
      this.#begin(now);
      return;
    }
    this.#rows += rows;
    this.#batches += 1;
    const passedMs = now - this.#since;
    if (passedMs < windowMs || this.#batches < windowBatches) return;
    const rate = this.#rows / passedMs;
    this.rowsPerMs = this.rowsPerMs === 0 ? rate : this.rowsPerMs + weight * (rate - this.rowsPerMs);
    this.#begin(now);
  }

  /** More can be done than before. */
  forget(): void {
    this.rowsPerMs = 0;
    this.#since = Infinity;
  }

  #begin(now: number): void {
    this.#since = now;
    this.#rows = 0;
    this.#batches = 0;
  }
}
