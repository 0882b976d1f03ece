import { type Arrivals, seededRandom } from '@shoal/core';
import { burstyArrivals, dailyArrivals, recordedArrivals } from './traffic';

/** Requests in each of so many equal windows. */
function counts(arrivals: Arrivals, windowMs: number, windows: number): number[] {
  const found = new Array<number>(windows).fill(0);
  let before = 0;
  for (let at = arrivals.next(); at < windowMs * windows; at = arrivals.next()) {
    if (at < before) throw new Error(`${at} came after ${before}`);
    before = at;
    found[Math.floor(at / windowMs)]! += 1;
  }
  return found;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Variance over mean: 1 for a Poisson process. */
function dispersion(values: readonly number[]): number {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2)) / middle;
}

test('bursts keep the mean rate, and come in clusters', () => {
  const bursts = { rate: 100, factor: 4, share: 0.1, meanMs: 2000 };
  const found = counts(burstyArrivals(bursts, seededRandom(1)), 1000, 2000);
  expect(mean(found) / 100).toBeCloseTo(1, 1);
  expect(dispersion(found)).toBeGreaterThan(20);
  const sorted = found.toSorted((a, b) => a - b);
  // Calm: (1 − 0.4) / 0.9 of the mean; in a burst four times it.
  expect(sorted[1000]! / (100 * (0.6 / 0.9))).toBeCloseTo(1, 1);
  expect(sorted.at(-10)! / 400).toBeCloseTo(1, 0);
});

test('on and off: nothing comes between bursts', () => {
  const bursts = { rate: 20, factor: 5, share: 0.2, meanMs: 5_000 };
  const found = counts(burstyArrivals(bursts, seededRandom(2)), 1000, 5000);
  expect(Math.abs(mean(found) / 20 - 1)).toBeLessThan(0.15);
  expect(found.filter((count) => count === 0).length / found.length).toBeGreaterThan(0.7);
});

test('a day: least at its ends, most in its middle', () => {
  const found = counts(dailyArrivals(100, 0.8, 1_000_000, seededRandom(3)), 100_000, 10).map((count) => count / 100);
  expect(mean(found) / 100).toBeCloseTo(1, 1);
  expect(found[0]! / 20).toBeLessThan(1.5);
  expect(found[4]! / 180).toBeCloseTo(1, 1);
});

test('a recording is told as it was, and from its beginning again when it is over', () => {
  const arrivals = recordedArrivals([50, 60, 80], true);
  expect(Array.from({ length: 7 }, () => arrivals.next())).toEqual([0, 10, 30, 45, 55, 75, 90]);
  const once = recordedArrivals([50, 60], false);
  expect([once.next(), once.next(), once.next()]).toEqual([0, 10, Infinity]);
});
