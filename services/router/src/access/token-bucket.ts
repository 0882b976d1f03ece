/** How much of something in a second, and how much at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * A token bucket that may go into debt: what is larger than the burst passes when the bucket is full, and what is only known
 * afterwards is charged afterwards. Over any time t no more than `burst + perSecond * t` and one request passes.
 */
export class TokenBucket {
  #rate: Rate;
  #level: number;
  #at: number;

  /** Full. @param now Clock time, ms. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#level = rate.burst;
    this.#at = now;
  }

  /** What is in it; below zero: the debt. */
  level(now: number): number {
    const { perSecond, burst } = this.#rate;
    if (now > this.#at) {
      this.#level = Math.min(burst, this.#level + ((now - this.#at) / 1000) * perSecond);
      this.#at = now;
    }
    return this.#level;
  }

  /** Another rate from now on: it stays as full as it was, and a debt stays a debt. */
  change(rate: Rate, now: number): void {
    const level = this.level(now);
    if (level > 0) this.#level = level * (rate.burst / this.#rate.burst);
    this.#rate = rate;
  }

  /** Milliseconds until `amount` may be taken: 0 = now. An `amount` of 0 asks for a bucket without debt. */
  waitMs(amount: number, now: number): number {
    const { perSecond, burst } = this.#rate;
    const missing = Math.min(amount, burst) - this.level(now);
    return missing <= epsilon * burst ? 0 : Math.max(1, Math.ceil((missing / perSecond) * 1000 - epsilon));
  }

  take(amount: number, now: number): void {
    this.#level = this.level(now) - amount;
  }
}

/** Sums of fractions are not exact. */
const epsilon = 1e-6;
