import { seededRandom, systemRandom } from '@shoal/core';
import { Latencies } from './latencies';

test('percentiles are those of the sorted values, to three figures', () => {
  const seed = Math.floor(systemRandom.next() * 2 ** 32);
  const random = seededRandom(seed);
  const latencies = new Latencies();
  const values = Array.from({ length: 5000 }, () => 0.01 * 10 ** (5 * random.next()));
  for (const value of values) latencies.record(value);
  const sorted = values.toSorted((a, b) => a - b);
  for (const percent of [10, 50, 90, 95, 99, 99.9, 100]) {
    // Where the rank is no whole number, either neighbour will do.
    const rank = (percent / 100) * sorted.length - 1;
    const [low, high] = [sorted[Math.max(0, Math.round(rank) - 1)], sorted[Math.min(4999, Math.round(rank) + 1)]];
    const got = latencies.percentile(percent);
    if (got < 0.998 * low! || got > 1.002 * high!) throw new Error(`seed ${seed}: p${percent} is ${got}`);
  }
  const summary = latencies.summary();
  expect(summary.count).toBe(5000);
  expect(summary.p50).toBe(latencies.percentile(50));
  expect(summary.mean / (values.reduce((sum, value) => sum + value, 0) / 5000)).toBeCloseTo(1, 2);
});

test('nothing recorded is no number, and extremes are kept', () => {
  const latencies = new Latencies();
  expect(latencies.summary()).toMatchObject({ count: 0, p50: Number.NaN, min: Number.NaN });
  latencies.record(-1);
  latencies.record(1e12);
  expect(latencies.summary()).toMatchObject({ count: 2, min: 1e-6 });
  expect(latencies.summary().max).toBeGreaterThan(3_500_000);
});
