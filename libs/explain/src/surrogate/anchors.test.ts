import { seededRandom } from '@shoal/core';
import { anchorOfMasks, anchorOfRow } from '@shoal/explain';
import * as fc from 'fast-check';
import { drive, play, predict } from '../../test/drive';
import { divergence, exploration, lowerBound, upperBound } from './bernoulli-bounds';

const seed = Number(process.env['TEST_SEED'] ?? Math.trunc(process.hrtime()[1] % 1e6));
console.info(`anchors: TEST_SEED=${seed}`);
fc.configureGlobal({ seed, numRuns: 200 });

test('exploration and bounds are those known', () => {
  expect(exploration(10, 1, 0.1)).toBeCloseTo(12.97212, 5);
  const level = exploration(10, 1, 0.1) / 100;
  expect(upperBound(0.9, level)).toBeCloseTo(0.98822, 5);
  expect(lowerBound(0.9, level)).toBeCloseTo(0.68622, 5);
  expect(upperBound(1, level)).toBe(1);
  expect(lowerBound(0, level)).toBe(0);
});

test('bounds lie where the divergence is the level, or at the end', () => {
  const p = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(p, fc.double({ min: 1e-6, max: 5, noNaN: true }), (mean, level) => {
      const [low, high] = [lowerBound(mean, level), upperBound(mean, level)];
      expect(low).toBeLessThanOrEqual(mean + 1e-12);
      expect(high).toBeGreaterThanOrEqual(mean - 1e-12);
      expect(high > 1 - 1e-9 ? level : divergence(mean, high)).toBeCloseTo(level, 4);
      expect(low < 1e-9 ? level : divergence(mean, low)).toBeCloseTo(level, 4);
    }),
  );
});

test('the words that decide are the anchor, and nothing else', () => {
  const model = (mask: Uint8Array) => (mask[2] === 1 && mask[5] === 1 ? [0.1, 0.9] : [0.8, 0.2]);
  for (const beam of [1, 2, 4]) {
    const anchor = drive(anchorOfMasks({ players: 8, seed: 3, beam }), play(model));
    expect(anchor).toMatchObject({
      features: [2, 5],
      precision: 1,
      coverage: 0.25,
      label: 1,
      found: true,
      stopReason: 'target_error',
    });
    expect(anchor.lower).toBeGreaterThan(0.8);
    expect(anchor.upper).toBe(1);
  }
});

test('a model that always says the same has the empty anchor', () => {
  expect(
    drive(
      anchorOfMasks({ players: 8, seed: 3 }),
      play(() => 0.7),
    ),
  ).toMatchObject({
    features: [],
    coverage: 1,
    precision: 1,
    label: 1,
    evaluations: 101,
  });
});

test('one candidate alone is sampled until its bound is good enough', () => {
  const anchor = drive(
    anchorOfMasks({ players: 1, seed: 3 }),
    play(([one]) => one as number),
  );
  expect(anchor).toMatchObject({ features: [0], precision: 1, found: true });
  expect(anchor.lower).toBeGreaterThan(0.8);
});

test('a wider beam finds the anchor that covers more', () => {
  // {0, 1, 2} is one way; {4} alone is nearly as good at first sight, and enough with 5.
  const model = (mask: Uint8Array) =>
    (mask[0] === 1 && mask[1] === 1 && mask[2] === 1) || (mask[4] === 1 && mask[5] === 1) ? 1 : 0;
  const anchor = drive(anchorOfMasks({ players: 6, seed: 3, beam: 3 }), play(model));
  expect(anchor).toMatchObject({ features: [4, 5], coverage: 0.25 });
});

test('a precision that is estimated lies within its bounds', () => {
  // Whether the answer is the same depends on players 1 to 9 by a coin of 96 %.
  const random = seededRandom(5);
  const anchor = drive(
    anchorOfMasks({ players: 3, seed: 3, precision: 0.9, tolerance: 0.05, delta: 0.01 }),
    play((mask) => (mask[0] === 1 && (random.next() < 0.96 || mask.every((one) => one === 1)) ? 1 : 0)),
  );
  expect(anchor).toMatchObject({ features: [0], found: true });
  expect(anchor.lower).toBeLessThan(0.96);
  expect(anchor.upper).toBeGreaterThan(0.96);
  expect(anchor.lower).toBeGreaterThan(0.85);
});

test('what is called an anchor is as precise as was asked, but for the tolerance, in nearly all of many searches', () => {
  const [players, delta] = [5, 0.1];
  let failures = 0;
  for (let turn = 0; turn < 60; turn++) {
    // Each coalition of players is answered the same as the explained input, or not, once and for all.
    const coin = seededRandom(1000 + turn);
    const same = Array.from(
      { length: 32 },
      (_, set) => set === 31 || coin.next() < 0.55 + (0.4 * ((set & 1) + ((set >> 1) & 1))) / 2,
    );
    const setOf = (mask: Uint8Array) => mask.reduce((bits, one, i) => bits | (one << i), 0);
    const anchor = drive(
      anchorOfMasks({ players, seed: turn, precision: 0.9, tolerance: 0.1, delta }),
      play((mask) => (same[setOf(mask)] ? 1 : 0)),
    );
    const holds = [...same.keys()].filter((set) => anchor.features.every((f) => ((set >> f) & 1) === 1));
    const precision = holds.filter((set) => same[set]).length / holds.length;
    expect(anchor.found || anchor.features.length < players).toBe(true);
    if (anchor.found && (precision < 0.8 || precision < anchor.lower || precision > anchor.upper)) failures++;
  }
  // Bounds may fail with probability delta on either side.
  expect(failures).toBeLessThanOrEqual(60 * 2 * delta);
});

test('without an anchor the most precise candidate is returned, and called that', () => {
  let turn = 0;
  const anchor = drive(
    anchorOfMasks({ players: 3, seed: 3, maxSize: 1 }),
    play((mask) => (turn++ % 2 === 0 || mask.every((one) => one === 1) ? 1 : 0)),
  );
  expect(anchor).toMatchObject({ found: false });
  expect(anchor.features.length).toBeLessThanOrEqual(1);
});

test('a budget ends the search, between rounds', () => {
  const random = seededRandom(6);
  const anchor = drive(
    anchorOfMasks({ players: 12, seed: 3, budget: 500 }),
    play(() => random.next()),
  );
  expect(anchor.stopReason).toBe('budget');
  expect(anchor.evaluations).toBeLessThanOrEqual(500);
});

const random = seededRandom(2);
const rows = Float64Array.from({ length: 1200 }, (_, i) =>
  i % 3 === 2 ? Math.floor(4 * random.next()) : 10 * random.next(),
);

test('a row of a table: intervals of the data and categories, samples keep to them', () => {
  const row = Float64Array.of(9.5, 1, 2);
  const model = ([a, , c]: Float64Array) => (a! > 7 && c === 2 ? 1 : 0);
  const asked: Float64Array[] = [];
  const anchor = drive(
    anchorOfRow({ row, data: { rows, features: 3 }, categorical: [2], seed: 4, beam: 2 }),
    predict((one) => {
      asked.push(one.slice());
      return model(one);
    }),
  );
  expect(asked[0]).toEqual(row);
  expect(anchor).toMatchObject({ features: [0, 2], found: true, precision: 1 });
  const [amount, category] = anchor.predicates;
  expect(category).toEqual({ feature: 2, above: 2, upTo: 2, category: true });
  expect(amount).toMatchObject({ feature: 0, upTo: Infinity, category: false });
  const values = Array.from({ length: 400 }, (_, i) => rows[i * 3]!).toSorted((a, b) => a - b);
  expect(amount!.above).toBeGreaterThanOrEqual(values[298]!);
  expect(amount!.above).toBeLessThanOrEqual(values[300]!);
  const covered = Array.from({ length: 400 }, (_, i) => rows[i * 3]! > amount!.above && rows[i * 3 + 2] === 2);
  expect(anchor.coverage).toBe(covered.filter(Boolean).length / 400);
  // Every value asked occurs in the data.
  for (const one of asked.slice(1))
    for (const [f, value] of one.entries()) if (!known[f]!.has(value)) throw new Error(`${value}`);
});
const known = [0, 1, 2].map((f) => new Set(rows.filter((_, i) => i % 3 === f)));

test('a category that the data do not have is the explained row’s own', () => {
  const row = Float64Array.of(5, 5, 77);
  const anchor = drive(
    anchorOfRow({ row, data: { rows, features: 3 }, categorical: [2], seed: 4 }),
    predict(([, , c]) => (c === 77 ? 1 : 0)),
  );
  expect(anchor).toMatchObject({ features: [2], precision: 1, coverage: 0, found: true });
});

test('what cannot be meant is refused', () => {
  expect(() => anchorOfMasks({ players: 3, seed: 1, precision: 1.2 })).toThrow(/lie between 0 and 1/u);
  expect(() => anchorOfRow({ row: Float64Array.of(1), data: { rows, features: 3 }, seed: 1 })).toThrow(
    "the data's 3 features",
  );
});
