import { type Random, seededRandom } from '@shoal/core';
import { fitLine } from './fit-line';
import { halfOctave } from './half-octave';
import { LatencyModel } from './latency-model';
import { LatencyTable } from './latency-table';

const alphaMs = 4;
const betaMs = 0.5;

/** Between 0.9 and 1.1 of the line. */
function noisy(random: Random, rows: number): number {
  return (alphaMs + betaMs * rows) * (0.9 + 0.2 * random.next());
}

/** A model that saw `count` batches of 1 to 16 rows, one each millisecond. */
function taught(count: number, ms: (rows: number) => number, model = new LatencyModel(), from = 0): LatencyModel {
  for (let i = 0; i < count; i += 1) {
    const rows = 1 + (i % 16);
    model.observe(from + i, rows, ms(rows));
  }
  return model;
}

test.each([1, 2, 3])('the line behind noise is found (seed %i)', (seed) => {
  const random = seededRandom(seed);
  const curve = taught(1000, (rows) => noisy(random, rows)).plan!;
  expect(curve.alphaMs).toBeGreaterThan(3.6);
  expect(curve.alphaMs).toBeLessThan(4.4);
  expect(curve.betaMs).toBeGreaterThan(0.45);
  expect(curve.betaMs).toBeLessThan(0.55);
  // 95 of 100 of what is spread evenly over ± 10 %.
  expect(curve.high).toBeGreaterThan(1.05);
  expect(curve.high).toBeLessThan(1.13);
});

test('batches that take anything do not move it, as long as they are few', () => {
  const random = seededRandom(4);
  const model = taught(1000, (rows) => (random.next() < 0.2 ? 5000 * random.next() : noisy(random, rows)));
  expect(model.plan!.alphaMs).toBeGreaterThan(3);
  expect(model.plan!.alphaMs).toBeLessThan(5);
  // They are seen where they belong: one in five is more than one in twenty.
  expect(model.plan!.high).toBeGreaterThan(10);
  const least = model.least(8);
  expect(least).toBeGreaterThan(6.5);
  expect(least).toBeLessThan(8);
});

test('a machine that becomes three times as slow is followed', () => {
  const random = seededRandom(5);
  const model = taught(1000, (rows) => noisy(random, rows));
  taught(1200, (rows) => 3 * noisy(random, rows), model, 1000);
  const { alphaMs: alpha, betaMs: beta } = model.plan!;
  expect((alpha + 8 * beta) / (alphaMs + 8 * betaMs)).toBeGreaterThan(2.7);
});

test('nothing is said before enough was seen', () => {
  const model = taught(30, (rows) => alphaMs + betaMs * rows);
  model.observe(1000, 4, 6);
  expect(model.plan).toBeUndefined();
  expect(model.least(4)).toBe(0);
  taught(128, (rows) => alphaMs + betaMs * rows, model, 1001);
  expect(model.plan).toBeDefined();
  expect(model.least(4)).toBeCloseTo(6, 1);
});

test('least: not of sizes far below those seen, nor long after the newest batch', () => {
  const model = new LatencyModel();
  for (let i = 0; i < 256; i += 1) model.observe(i, 8 + (i % 8), alphaMs + betaMs * (8 + (i % 8)));
  expect(model.least(8)).toBeCloseTo(8, 0);
  expect(model.least(1)).toBe(0);
  expect(model.leastNow(255 + 1000, 8)).toBe(model.least(8));
  expect(model.leastNow(255 + 1001, 8)).toBe(0);
});

test('where all batches have one size, that is what is known', () => {
  const model = new LatencyModel();
  for (let i = 0; i < 256; i += 1) model.observe(i, 4, 10);
  expect(model.learnt).toMatchObject({ alphaMs: 10, betaMs: 0 });
  expect(model.plan).toBeUndefined();
  expect(model.least(4)).toBe(10);
  expect(model.least(8)).toBe(10);
  expect(model.least(3)).toBe(0);
});

test('a curve from before is planned with until there is a better one, never given up for', () => {
  const prior = { alphaMs, betaMs, high: 1.2, samples: 500 };
  const model = new LatencyModel(prior);
  expect(model.plan).toBe(prior);
  expect(model.least(4)).toBe(0);
  taught(300, (rows) => 1.5 * (alphaMs + betaMs * rows), model);
  expect(model.plan!.alphaMs).toBeCloseTo(6, 1);
});

test('a curve from before that is wrong is dropped', () => {
  const model = new LatencyModel({ alphaMs, betaMs, high: 1.2, samples: 500 });
  for (let i = 0; i < 8; i += 1) model.observe(300 * i, 1, 20);
  expect(model.plan).toBeUndefined();
});

test('lines do not fall, nor begin below nothing', () => {
  const falling = [1, 2, 4].map((rows) => ({ rows, ms: 10 / rows, count: 10 }));
  expect(fitLine(falling).betaMs).toBe(0);
  const steep = [1, 2, 4].map((rows) => ({ rows, ms: rows * rows, count: 10 }));
  const { alphaMs: alpha, betaMs: beta } = fitLine(steep);
  expect(alpha).toBe(0);
  expect(beta).toBeGreaterThan(0.9);
  const line = fitLine([1, 8].map((rows) => ({ rows, ms: 3 + 2 * rows, count: 10 })));
  expect(line.alphaMs).toBeCloseTo(3, 9);
  expect(line.betaMs).toBeCloseTo(2, 9);
});

test('half octaves', () => {
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16];
  expect(numbers.map(halfOctave)).toEqual([0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7]);
  expect(halfOctave(2 ** 32 - 1)).toBeLessThan(64);
});

test('shapes are told apart by the bytes of a row', () => {
  expect(LatencyTable.bucket(64, 1)).toBe(LatencyTable.bucket(512, 8));
  expect(LatencyTable.bucket(64, 1)).not.toBe(LatencyTable.bucket(128, 1));
  expect(LatencyTable.bucket(0, 1)).toBe(0);
  expect(LatencyTable.bucket(1e15, 1)).toBeLessThan(64);
  const table = new LatencyTable();
  for (let i = 0; i < 256; i += 1) {
    table.observe(i, 3, 1 + (i % 8), 5, 6);
    table.observe(i, 9, 1 + (i % 8), 50, 51);
  }
  expect(table.curves.map(({ bucket, alphaMs: alpha }) => [bucket, Math.round(alpha)])).toEqual([
    [3, 5],
    [9, 50],
  ]);
  expect(table.overheadMs).toBeCloseTo(1, 6);
  const later = new LatencyTable();
  later.recall(table.curves);
  expect(later.model(9)?.plan?.alphaMs).toBeCloseTo(50, 6);
  expect(later.curves).toEqual([]);
});
