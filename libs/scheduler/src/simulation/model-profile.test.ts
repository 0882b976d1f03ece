import { seededRandom } from '@shoal/core';
import { lineThrough, readProfile } from './model-profile';
import { RunTimes } from './run-times';

test('what is left out has a default', () => {
  expect(readProfile({ fixedMs: 2 })).toMatchObject({
    maxBatchSize: 1,
    dynamicBatching: true,
    overheadMs: 0,
    points: [],
  });
  expect(readProfile({ fixedMs: 2, measured: { at: 'once' } })).not.toHaveProperty('measured');
});

test.each([
  [[], 'expected a JSON object'],
  [{}, 'fixedMs and rowMs: how long does a run take?'],
  [{ fixedMS: 1 }, "it has no field 'fixedMS'"],
  [{ fixedMs: -1 }, 'fixedMs: expected a number from 0 on'],
  [{ fixedMs: 1, maxBatchSize: 0 }, 'maxBatchSize: expected a whole number from 1 on'],
  [
    { fixedMs: 1, maxBatchSize: 4, preferredBatchSizes: [8] },
    'preferredBatchSizes: expected whole numbers from 1 to 4',
  ],
  [{ points: {} }, 'points: expected a list'],
  [{ points: [null] }, 'points[0].rows: expected a whole number above 0'],
  [
    {
      points: [
        { rows: 2, runMs: 1 },
        { rows: 2, runMs: 1 },
      ],
    },
    'points[1].rows: expected a whole number above 2',
  ],
  [{ points: [{ rows: 1, runMs: 0 }] }, 'points[0].runMs: expected a number above 0'],
  [
    {
      points: [
        {
          rows: 1,
          runMs: 1,
          noiseMs: [
            [0.5, 1],
            [0.4, 2],
          ],
        },
      ],
    },
    'points[0].noiseMs: expected pairs',
  ],
])('%j is refused: %s', (json, text) => {
  expect(() => readProfile(json)).toThrow(text);
});

test('the line through measured points, neither part below 0', () => {
  const points = (...ms: number[]) => ms.map((runMs, i) => ({ rows: 2 ** i, runMs }));
  const { fixedMs, rowMs } = lineThrough(points(3, 5, 9, 17));
  expect([fixedMs, rowMs].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([1, 2]);
  expect(lineThrough(points(7))).toEqual({ fixedMs: 7, rowMs: 0 });
  expect(lineThrough(points(9, 8, 7)).rowMs).toBe(0);
  expect(
    lineThrough([
      { rows: 1, runMs: 0.5 },
      { rows: 10, runMs: 20 },
    ]).fixedMs,
  ).toBeGreaterThanOrEqual(0);
});

test('runs take what was measured; between two sizes something between; beyond them as the line goes', () => {
  const points = [
    { rows: 2, runMs: 4 },
    { rows: 4, runMs: 6 },
    { rows: 8, runMs: 7 },
  ];
  const times = new RunTimes(readProfile({ maxBatchSize: 8, fixedMs: 3, rowMs: 0.5, points }), seededRandom(1));
  expect([1, 2, 3, 4, 6, 8, 10].map((rows) => times.mean(rows))).toEqual([4, 4, 5, 6, 6.5, 7, 8]);
  expect(times.sample(4)).toBe(6);
});

test('noise has the mean that it should, and the spread', () => {
  const sampled = (profile: object, rows: number) => {
    const times = new RunTimes(readProfile(profile), seededRandom(4));
    return Array.from({ length: 50_000 }, () => times.sample(rows)).toSorted((a, b) => a - b);
  };
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const even = sampled({ fixedMs: 10, variation: 0.2 }, 1);
  expect(mean(even)).toBeCloseTo(10, 1);
  expect(Math.sqrt(mean(even.map((value) => (value - 10) ** 2)))).toBeCloseTo(2, 1);
  const noiseMs = [
    [0, -1],
    [0.5, 0],
    [0.9, 1],
    [1, 11],
  ];
  const measured = sampled({ points: [{ rows: 1, runMs: 20, noiseMs }] }, 1);
  expect(mean(measured)).toBeCloseTo(20, 1);
  // Its tail: from the 90th to the last percentile 10 ms.
  expect(measured.at(-1)! - measured[45_000]!).toBeGreaterThan(9.5);
});
