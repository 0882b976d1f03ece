import type { Arrivals, Random } from '@shoal/core';

/*
 * Arrivals that are not the same all the time. All are Poisson processes whose rate changes: independent users, more of them at
 * some times than at others.
 */

/** Bursts: two rates that take turns, each for exponentially distributed times (a Markov-modulated Poisson process). */
export interface Bursts {
  /** Requests a second over all. */
  readonly rate: number;
  /** How many times the mean rate a burst has; at least 1. */
  readonly factor: number;
  /** Share of the time that is burst: above 0, and at most 1 / factor. With 1 / factor nothing comes between bursts (on/off). */
  readonly share: number;
  /** How long a burst lasts on average. */
  readonly meanMs: number;
}

export function burstyArrivals({ rate, factor, share, meanMs }: Bursts, random: Random): Arrivals {
  const high = (rate * factor) / 1000;
  const low = Math.max(0, (rate * (1 - share * factor)) / (1 - share) / 1000);
  const calmMs = share < 1 ? (meanMs * (1 - share)) / share : 0;
  const exponential = (mean: number) => -Math.log(1 - random.next()) * mean;
  let at = 0;
  let burst = random.next() < share;
  let until = exponential(burst ? meanMs : calmMs);
  return {
    next() {
      for (;;) {
        const perMs = burst ? high : low;
        const next = perMs > 0 ? at + exponential(1 / perMs) : Infinity;
        if (next <= until) return (at = next);
        // The process has no memory: from the change on it begins anew at the other rate.
        at = until;
        burst = !burst;
        until = at + exponential(burst ? meanMs : calmMs);
      }
    },
  };
}

/** A rate that swings like the day: rate · (1 + depth · sin), lowest at the start. `depth` is 0 … 1. */
export function dailyArrivals(rate: number, depth: number, periodMs: number, random: Random): Arrivals {
  const highest = (rate * (1 + depth)) / 1000;
  let at = 0;
  return {
    next() {
      // Thinning (Lewis and Shedler 1979): of a process with the highest rate, each is kept as the rate of its time has it.
      for (;;) {
        at += -Math.log(1 - random.next()) / highest;
        const now = (rate * (1 - depth * Math.cos((2 * Math.PI * at) / periodMs))) / 1000;
        if (random.next() * highest < now) return at;
      }
    },
  };
}

/** What was recorded: times in milliseconds, not falling; from the beginning again when it is over, for as long as is wanted. */
export function recordedArrivals(times: readonly number[], repeat: boolean): Arrivals {
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  // Between the last of one round and the first of the next as much as between two on average.
  const length = last - first + (last - first) / Math.max(1, times.length - 1);
  let [index, offset] = [0, -first];
  return {
    next() {
      if (index === times.length) {
        if (!repeat || !(length > 0)) return Infinity;
        index = 0;
        offset += length;
      }
      const at = (times[index] as number) + offset;
      index += 1;
      return at;
    },
  };
}
