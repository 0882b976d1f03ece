import { seededRandom } from '@shoal/core';
import {
  accumulatedEffects,
  gridOf,
  logLoss,
  partialDependence,
  permutationImportance,
  squaredError,
  wrongClass,
} from '@shoal/explain';
import { drive, expectClose, predict } from '../../test/drive';

const random = seededRandom(11);
/** 60 rows of three features, the second of them near the first. */
const rows = Float64Array.from(
  Array.from({ length: 60 }, () => {
    const a = random.next();
    return [a, a + 0.1 * random.next(), random.next()];
  }).flat(),
);
const data = { rows, features: 3 };
const column = (feature: number) => Array.from({ length: 60 }, (_, row) => rows[row * 3 + feature] as number);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('grids are where the data are, or even; each value once', () => {
  const five = { rows: Float64Array.of(1, 2, 3, 4, 10), features: 1 };
  expect([...gridOf(five, 0, 3, 'quantile')]).toEqual([1, 3, 10]);
  expect([...gridOf(five, 0, 4, 'uniform')]).toEqual([1, 4, 7, 10]);
  expect([...gridOf({ rows: Float64Array.of(1, 0, 1, 1), features: 1 }, 0, 9, 'quantile')]).toEqual([0, 1]);
  expect([...gridOf({ rows: Float64Array.of(5, 5), features: 1 }, 0, 3, 'uniform')]).toEqual([5]);
  expect(() => gridOf(five, 1, 3, 'uniform')).toThrow('there is no feature 1 among 1');
});

test('partial dependence of a product is its mean, with each row’s own curve', () => {
  const model = ([a, , c]: Float64Array) => [2 * (a as number) * (c as number), a as number];
  const grid = Float64Array.of(0, 0.5, 2);
  const result = drive(partialDependence({ data, feature: 0, grid, individual: true }), predict(model));
  expectClose(
    result.average,
    [...grid].flatMap((v) => [2 * v * mean(column(2)), v]),
  );
  expectClose(
    result.individual ?? [],
    column(2).flatMap((c) => [...grid].flatMap((v) => [2 * v * c, v])),
  );
  const [m, c] = [mean(column(2)), column(2)];
  const se = Math.sqrt(c.reduce((sum, value) => sum + (value - m) ** 2, 0) / (60 * 59));
  expectClose(
    result.standardErrors,
    [...grid].flatMap((v) => [2 * v * se, 0]),
  );
  expect(result.evaluations).toBe(180);
});

test('partial dependence cut short says what it knows, in whole points', () => {
  const estimator = partialDependence({ data, feature: 0, grid: Float64Array.of(0, 1) });
  const evaluate = predict((row) => row[0] as number);
  estimator.tell(evaluate(estimator.next(59)!));
  expect(estimator.result()).toBeUndefined();
  estimator.tell(evaluate(estimator.next(2)!));
  expect([...(estimator.result()?.average ?? [])]).toEqual([0, Number.NaN]);
});

test('accumulated effects of a linear model are its line, centred, with no error; another feature near it does not matter', () => {
  const edges = gridOf(data, 0, 7, 'quantile');
  const result = drive(
    accumulatedEffects({ data, feature: 0, edges }),
    predict(([a, b]) => 3 * (a as number) - 8 * (b as number)),
  );
  const line = [...edges].map((edge) => 3 * edge);
  const centre = [...result.counts].reduce((sum, count, k) => sum + (count / 60) * ((line[k]! + line[k + 1]!) / 2), 0);
  expectClose(
    result.effects,
    line.map((y) => y - centre),
  );
  expectClose(
    result.standardErrors,
    line.map(() => 0),
    1e-12,
  );
  expect(result.counts.reduce((sum, count) => sum + count)).toBe(60);
  expect(result.evaluations).toBe(120);
});

test('accumulated effects average over the rows of each interval', () => {
  const four = { rows: Float64Array.of(0, 5, 1, 1, 1.5, 3, 2, 4), features: 2 };
  const edges = Float64Array.of(0, 1, 2);
  // Feature times the other: slopes 5 and 1 in the first interval, 3 and 4 in the second.
  const result = drive(
    accumulatedEffects({ data: four, feature: 0, edges }),
    predict(([a, b]) => (a as number) * (b as number)),
  );
  const centre = 0.5 * 1.5 + 0.5 * 4.75;
  expectClose(result.effects, [0 - centre, 3 - centre, 6.5 - centre]);
  expectClose(result.standardErrors, [0, 2, Math.sqrt(4 + 0.25)]);
  expect(() => accumulatedEffects({ data: four, feature: 0, edges: Float64Array.of(1, 1) })).toThrow(/ascending/u);
});

test('importance: nothing for what is not used, and twice the variance for what is', () => {
  const targets = Float64Array.from(column(0), (a) => 2 * a);
  const options = { data, targets, loss: squaredError, repeats: 40, seed: 3 };
  const result = drive(
    permutationImportance(options),
    predict(([a]) => 2 * (a as number)),
  );
  expect(result.loss).toBe(0);
  expect([result.values[1], result.values[2], result.standardErrors[1]]).toEqual([0, 0, 0]);
  const m = mean(column(0));
  const want = 2 * 4 * mean(column(0).map((a) => (a - m) ** 2));
  expect(Math.abs((result.values[0] as number) - want)).toBeLessThan(5 * (result.standardErrors[0] as number));
  expect(result.standardErrors[0]).toBeLessThan(0.1 * want);
  expect(result.evaluations).toBe(60 * (1 + 3 * 40));
});

test('features of a group are shuffled together', () => {
  const model = ([a, b]: Float64Array) => (b as number) - (a as number);
  const targets = Float64Array.from(column(0), (a, row) => (column(1)[row] as number) - a);
  const options = { data, targets, loss: squaredError, seed: 3 };
  const apart = drive(permutationImportance(options), predict(model));
  const together = drive(permutationImportance({ ...options, groups: [[0, 1]] }), predict(model));
  // Apart, rows get differences that do not occur.
  expect(together.values[0]).toBeLessThan((apart.values[0] as number) / 10);
  expect(together.values[0]).toBeGreaterThan(0);
});

test('losses', () => {
  expect(wrongClass(Float64Array.of(0.2, 0.5, 0.3), 1)).toBe(0);
  expect(wrongClass(Float64Array.of(0.2, 0.5, 0.3), 2)).toBe(1);
  expect(logLoss(Float64Array.of(0.2, 0.8), 1)).toBeCloseTo(-Math.log(0.8), 12);
  expect(logLoss(Float64Array.of(0.8), 0)).toBeCloseTo(-Math.log(0.2), 12);
  expect(logLoss(Float64Array.of(0), 1)).toBeCloseTo(-Math.log(1e-15), 12);
});
