import type { Random } from './random';

/** When requests are meant to be sent: milliseconds from the start, never falling; Infinity = no more. */
export interface Arrivals {
  next(): number;
}

/** One every 1/rate seconds, the first at 0; computed from the count, so that no rounding adds up. */
export function constantArrivals(ratePerSecond: number): Arrivals {
  let sent = 0;
  return { next: () => (sent++ * 1000) / ratePerSecond };
}

/** A Poisson process: independent exponential gaps of mean 1/rate, as many users who know nothing of each other cause. */
export function poissonArrivals(ratePerSecond: number, random: Random): Arrivals {
  let at = 0;
  return {
    next() {
      // 1 − u lies in (0, 1], so the logarithm is finite.
      at += (-Math.log(1 - random.next()) * 1000) / ratePerSecond;
      return at;
    },
  };
}
