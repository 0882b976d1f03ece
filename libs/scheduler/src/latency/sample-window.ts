/** Batches that a window remembers. */
export const windowSize = 64;

/** How long the newest batches of about one size took: at most `windowSize` of them, older ones are forgotten. */
export class SampleWindow {
  readonly #rows = new Uint32Array(windowSize);
  readonly #ms = new Float64Array(windowSize);
  #next = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(rows: number, ms: number): void {
    this.#rows[this.#next] = rows;
    this.#ms[this.#next] = ms;
    this.#next = (this.#next + 1) % windowSize;
    if (this.#count < windowSize) this.#count += 1;
  }

  /** The middle one of the sizes: that of a batch that took the median time, since larger ones take longer. */
  get medianRows(): number {
    return this.#rows.slice(0, this.#count).toSorted()[this.#count >> 1] ?? Number.NaN;
  }

  /** The middle one of the times: up to half of them may be anything. NaN when there is none. */
  get medianMs(): number {
    return this.#ms.slice(0, this.#count).toSorted()[this.#count >> 1] ?? Number.NaN;
  }

  /** Writes each batch's time, divided by what `expected` says, to `target` from `at` on; returns where it ended. */
  ratios(expected: (rows: number) => number, target: Float64Array, at: number): number {
    for (let i = 0; i < this.#count; i += 1) {
      target[at + i] = (this.#ms[i] as number) / expected(this.#rows[i] as number);
    }
    return at + this.#count;
  }
}
