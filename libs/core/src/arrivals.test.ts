import { constantArrivals, poissonArrivals } from './arrivals';
import { seededRandom, systemRandom } from './random';

test('constant arrivals do not drift', () => {
  const arrivals = constantArrivals(3);
  const times = Array.from({ length: 3001 }, () => arrivals.next());
  expect(times.slice(0, 3)).toEqual([0, 1000 / 3, 2000 / 3]);
  expect(times[3000]).toBe(1_000_000);
});

/** 1 % of true Poisson processes lie beyond this, by the Kolmogorov-Smirnov test. */
const kolmogorov1Percent = 1.63;

test('Poisson arrivals have independent exponential gaps', () => {
  const seed = Math.floor(systemRandom.next() * 2 ** 32);
  // Chance alone fails one seed in a hundred; three in a row, one in a million.
  const verdicts = [seed, seed + 1, seed + 2].map((one) => ({ seed: one, ...gapsOf(one) }));
  process.stdout.write(`Poisson seeds ${verdicts.map((v) => v.seed).join(', ')}\n`);
  expect(verdicts.some(({ distance }) => distance < kolmogorov1Percent)).toBe(true);
  for (const { mean, correlation } of verdicts) {
    // Six standard errors of 20,000 gaps.
    expect(Math.abs(mean - 2)).toBeLessThan(6 * (2 / Math.sqrt(20_000)));
    expect(Math.abs(correlation)).toBeLessThan(6 / Math.sqrt(20_000));
  }
});

test('the check can fail: constant gaps are no Poisson process', () => {
  const arrivals = constantArrivals(500);
  expect(
    distanceFromExponential(
      gaps(() => arrivals.next()),
      2,
    ),
  ).toBeGreaterThan(kolmogorov1Percent);
});

function gapsOf(seed: number) {
  const arrivals = poissonArrivals(500, seededRandom(seed));
  const found = gaps(() => arrivals.next());
  const mean = found.reduce((sum, gap) => sum + gap, 0) / found.length;
  let products = 0;
  let squares = 0;
  found.forEach((gap, i) => {
    products += (gap - mean) * ((found[i + 1] ?? mean) - mean);
    squares += (gap - mean) ** 2;
  });
  return { mean, correlation: products / squares, distance: distanceFromExponential(found, 2) };
}

function gaps(next: () => number): number[] {
  let last = next();
  return Array.from({ length: 20_000 }, () => {
    const at = next();
    const gap = at - last;
    last = at;
    return gap;
  });
}

/** The Kolmogorov-Smirnov distance from the exponential distribution, times the root of the count. */
function distanceFromExponential(found: readonly number[], mean: number): number {
  const sorted = found.toSorted((a, b) => a - b);
  const distances = sorted.map((gap, i) => Math.abs(1 - Math.exp(-gap / mean) - (i + 0.5) / sorted.length));
  return Math.max(...distances) * Math.sqrt(sorted.length);
}
