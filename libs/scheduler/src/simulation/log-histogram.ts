/** Buckets per factor of e: their bounds are 1 % apart. */
const perE = 100;
/** A microsecond. */
const lowest = 1e-3;
/** From lowest up to ten hours. */
const buckets = Math.ceil(Math.log(3.6e7 / lowest) * perE);

/** Latencies in milliseconds, in constant memory, to within half a per cent. */
export class LogHistogram {
  readonly #counts = new Uint32Array(buckets);
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get mean(): number {
    return this.#sum / this.#count;
  }

  get max(): number {
    return this.#max;
  }

  record(ms: number): void {
    const at = Math.floor(Math.log(ms / lowest) * perE);
    const bucket = at > 0 ? Math.min(at, buckets - 1) : 0;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count += 1;
    this.#sum += ms;
    if (ms > this.#max) this.#max = ms;
  }

  /** The latency that this share (0 … 1) did not exceed; NaN when there were none. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      seen += this.#counts[bucket] as number;
      if (seen >= rank) return Math.min(this.#max, lowest * Math.exp((bucket + 0.5) / perE));
    }
    return this.#max;
  }

  /** How many did not exceed `ms`, to within a bucket. */
  countUpTo(ms: number): number {
    const last = Math.min(buckets - 1, Math.floor(Math.log(ms / lowest) * perE));
    let seen = 0;
    for (let bucket = 0; bucket <= last; bucket += 1) seen += this.#counts[bucket] as number;
    return seen;
  }
}
