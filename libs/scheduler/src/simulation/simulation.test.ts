import { constantArrivals, poissonArrivals, seededRandom } from '@shoal/core';
import { defaultBounds } from '../policy';
import { readProfile } from './model-profile';
import type { SimulationOutcome } from './outcome';
import { runnersNeeded } from './runners-needed';
import { Simulation, type SimulationOptions } from './simulation';

const single = { fixedMs: 10, maxBatchSize: 1, dynamicBatching: false };

function simulate(profile: object, rate: number, options: Partial<SimulationOptions> = {}): SimulationOutcome {
  const simulation = new Simulation({
    ...{ profile: readProfile(profile), runners: 1, credits: 1, rows: 1, deadlineMs: 0, objectiveMs: Infinity },
    ...{ arrivals: poissonArrivals(rate, seededRandom(1)), random: seededRandom(2), queue: { bounds: defaultBounds } },
    ...{ durationMs: 200_000, warmupMs: 5_000 },
    ...options,
  });
  while (!simulation.run(10_000));
  return simulation.outcome();
}

/*
 * Queues of which theory knows the answer. The seeds are fixed: tolerances are what is left of chance.
 */

test.each([
  [0, 60],
  [0.5, 60],
  [0, 80],
])(
  'M/G/1: with a variation of %f and %i requests a second the wait is that of Pollaczek and Khinchine',
  (variation, rate) => {
    const outcome = simulate({ ...single, variation }, rate);
    const used = (rate * 10) / 1000;
    const wait = (used * 10 * (1 + variation ** 2)) / (2 * (1 - used));
    expect(Math.abs(outcome.queueing.mean / wait - 1)).toBeLessThan(0.15);
    expect(outcome.latency.mean - outcome.queueing.mean).toBeCloseTo(10, 0);
    expect(Math.abs(outcome.utilisation / used - 1)).toBeLessThan(0.03);
  },
);

test('M/D/c waits less than one queue for each runner would', () => {
  const shared = simulate(single, 240, { runners: 4, durationMs: 60_000 });
  const apart = simulate(single, 60);
  expect(shared.queueing.mean).toBeLessThan(apart.queueing.mean / 3);
  expect(shared.utilisation).toBeCloseTo(0.6, 1);
});

test('batches form by themselves: at a high load they have λα / (1 − λβ) rows', () => {
  const outcome = simulate({ fixedMs: 10, rowMs: 0.1, maxBatchSize: 1000 }, 8000, { durationMs: 8_000 });
  expect(outcome.meanBatch / ((8 * 10) / (1 - 8 * 0.1))).toBeCloseTo(1, 1);
});

test('equal gaps with time to spare: each request takes its run and its ways, and no more', () => {
  const profile = { ...single, overheadMs: 3, transferMs: 1, doneMs: 0.5 };
  const outcome = simulate(profile, 50, { arrivals: constantArrivals(50), durationMs: 20_000 });
  // 3 to the server and back, 1 to the runner, 10 there; a histogram is right to half a per cent.
  expect(outcome.latency.max).toBeCloseTo(14, 6);
  expect(outcome.latency.quantile(0.5)).toBeCloseTo(14, 0);
  expect(outcome.batchSizes).toEqual([0, 750]);
});

test('the way to a runner is free where a batch is sent ahead, and costs where it is not', () => {
  const profile = { ...single, transferMs: 5 };
  const waits = simulate(profile, 1000, { durationMs: 20_000 });
  const ahead = simulate(profile, 1000, { durationMs: 20_000, credits: 2 });
  expect(waits.utilisation).toBeCloseTo(10 / 15, 2);
  expect(ahead.utilisation).toBeCloseTo(1, 2);
});

test('too much: the runner is always busy, the queue full, and each request is answered or shed', () => {
  const outcome = simulate(single, 150, {
    queue: { bounds: { ...defaultBounds, requests: 10 } },
    objectiveMs: 60,
    durationMs: 30_000,
  });
  expect(outcome.throughput).toBeCloseTo(100, 0);
  expect(Object.keys(outcome.shed)).toEqual(['full']);
  expect(outcome.answered + (outcome.shed['full'] ?? 0)).toBe(outcome.offered);
  expect(outcome.latency.max).toBeLessThanOrEqual(10 * 10 + 20);
  expect(outcome.goodput).toBeLessThan(outcome.throughput / 2);
});

test('what has a deadline is given up when that passes', () => {
  const outcome = simulate(single, 150, { deadlineMs: 50, durationMs: 30_000 });
  expect(outcome.shed['deadline']).toBeGreaterThan(outcome.offered / 5);
  expect(outcome.latency.max).toBeLessThanOrEqual(60);
});

test('the same seeds give the same outcome', () => {
  const profile = { fixedMs: 5, rowMs: 1, maxBatchSize: 8, variation: 0.3 };
  const [one, other] = [0, 1].map(() => simulate(profile, 300, { durationMs: 10_000 }));
  expect(other?.slices).toEqual(one?.slices);
  expect(other?.batchSizes).toEqual(one?.batchSizes);
});

test('the search finds the least number of runners that meets the objective', () => {
  const objective = { p99Ms: 30, shed: 0 };
  const search = runnersNeeded(1, 100, objective);
  const outcomeOf = (runners: number) => simulate(single, 300, { runners, durationMs: 10_000, warmupMs: 1000 });
  let step = search.next();
  while (!step.done) step = search.next(outcomeOf(step.value));
  const { runners = 0, tried } = step.value;
  const p99 = (count: number) => tried.find((one) => one.runners === count)?.latency.quantile(0.99);
  expect(runners).toBeGreaterThan(3);
  expect(p99(runners)).toBeLessThanOrEqual(30);
  expect(p99(runners - 1)).toBeGreaterThan(30);
  expect(tried.map((one) => one.runners)).toEqual(tried.map((one) => one.runners).toSorted((a, b) => a - b));
});

test('the search says when even the most are not enough', () => {
  const search = runnersNeeded(1, 3, { p99Ms: 1, shed: 0 });
  let step = search.next();
  const asked: number[] = [];
  while (!step.done) {
    asked.push(step.value);
    step = search.next(simulate(single, 10, { runners: step.value, durationMs: 20_000 }));
  }
  expect(asked).toEqual([1, 2, 3]);
  expect(step.value.runners).toBeUndefined();
});
