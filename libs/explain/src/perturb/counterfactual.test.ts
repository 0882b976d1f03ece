import { type CounterfactualOptions, counterfactuals, type FeatureRule } from '@shoal/explain';
import * as fc from 'fast-check';
import { drive, predict } from '../../test/drive';

const seed = Number(process.env['TEST_SEED'] ?? Math.trunc(process.hrtime()[1] % 1e6));
console.info(`counterfactuals: TEST_SEED=${seed}`);
fc.configureGlobal({ seed, numRuns: 25 });

const unit: FeatureRule = { kind: 'number', low: 0, high: 1 };
const find = (options: CounterfactualOptions, model: (row: Float64Array) => number | number[]) =>
  drive(counterfactuals(options), predict(model));

test('the nearest change of one feature is found to within a hundredth of its range', () => {
  const result = find(
    { row: Float64Array.of(0.2, 0.5, 0.5), rules: [unit, unit, unit], wanted: { kind: 'class', index: 1 }, seed: 1 },
    ([a]) => [0.7 - (a as number), (a as number) - 0.7],
  );
  const [only] = result.counterfactuals;
  expect(result.counterfactuals).toHaveLength(1);
  expect(only?.changed).toEqual([0]);
  expect(only?.row[0]).toBeGreaterThan(0.7);
  expect(only?.row[0]).toBeLessThan(0.71);
});

const cases = fc.record({
  weights: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 5, maxLength: 5 }),
  row: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }),
  above: fc.double({ min: -2, max: 2, noNaN: true }),
  seed: fc.nat(1000),
});

test('rules are kept by every row that is asked or returned, and what is returned is as wanted', () => {
  const rules: readonly FeatureRule[] = [
    unit,
    { kind: 'fixed' },
    { kind: 'integer', low: -2.5, high: 3 },
    { kind: 'category', values: [4, 7, 9] },
    { kind: 'number', low: 0.2, high: 0.4 },
  ];
  let found = 0;
  fc.assert(
    fc.property(cases, ({ weights, row, above, seed: own }) => {
      const x = Float64Array.from([row[0] as number, row[1] as number, 1, 7, 0.3]);
      const model = (asked: Float64Array) => asked.reduce((sum, value, i) => sum + value * (weights[i] as number), 0);
      const kept = (asked: Float64Array) => {
        const [a, b, c, d, e] = asked as unknown as [number, number, number, number, number];
        return (
          a >= 0 &&
          a <= 1 &&
          b === x[1] &&
          Number.isInteger(c) &&
          c >= -2 &&
          c <= 3 &&
          [4, 7, 9].includes(d) &&
          e >= 0.2 &&
          e <= 0.4
        );
      };
      const result = find(
        {
          row: x,
          rules,
          wanted: { kind: 'range', output: 0, low: above, high: 100 },
          count: 3,
          seed: own,
          generations: 20,
        },
        (asked) => {
          if (!kept(asked)) throw new Error(`asked ${asked.join()}`);
          return model(asked);
        },
      );
      expect([result.already, result.already && result.evaluations > 1]).toEqual([model(x) >= above, false]);
      const rowsFound = result.counterfactuals.map((one) => one.row.join());
      expect(new Set(rowsFound).size).toBe(rowsFound.length);
      found += rowsFound.length;
      for (const one of result.counterfactuals) {
        expect(kept(one.row)).toBe(true);
        expect(one.values[0]).toBe(model(one.row));
        expect(one.values[0]).toBeGreaterThanOrEqual(above);
        expect(one.changed).toEqual([0, 1, 2, 3, 4].filter((i) => one.row[i] !== x[i]));
        expect(one.changed.length).toBeGreaterThan(0);
      }
      // Linear: whether it can be had at all is known from the corners.
      const most =
        Math.max(0, weights[0]!) +
        weights[1]! * x[1]! +
        Math.max(-2 * weights[2]!, 3 * weights[2]!) +
        Math.max(...[4, 7, 9].map((v) => v * weights[3]!)) +
        Math.max(0.2 * weights[4]!, 0.4 * weights[4]!);
      const had = result.already || most < above ? 0 : 1;
      // Within half a unit of what can be had it may be missed.
      expect(Math.min(1, rowsFound.length) === had || (had === 1 && most <= above + 0.5)).toBe(true);
      expect(result.already || rowsFound.length === 3 || result.stopReason === 'budget').toBe(true);
    }),
  );
  expect(found).toBeGreaterThan(0);
});

test('several differ from each other: both ways out are shown', () => {
  const result = find(
    {
      row: Float64Array.of(0.5, 0.5),
      rules: [unit, unit],
      wanted: { kind: 'class', index: 1 },
      count: 2,
      seed: 4,
    },
    ([a]) => (Math.abs((a as number) - 0.5) > 0.3 ? 0.9 : 0.1),
  );
  const sides = result.counterfactuals.map(({ row }) => Math.sign((row[0] as number) - 0.5));
  expect(sides.toSorted((a, b) => a - b)).toEqual([-1, 1]);
});

test('examples are a way to what chance would not meet', () => {
  const n = 12;
  const row = new Float64Array(n);
  const rules: FeatureRule[] = Array.from(row, () => ({ kind: 'category', values: [0, 1, 2, 3, 4, 5, 6, 7] }));
  const model = (asked: Float64Array) => (asked.every((value) => value === 5) ? 1 : 0);
  const options = { row, rules, wanted: { kind: 'class', index: 1 }, seed: 2, generations: 3 } as const;
  expect(find(options, model).counterfactuals).toHaveLength(0);
  const examples = { rows: new Float64Array(n).fill(5), features: n };
  expect(find({ ...options, examples }, model).counterfactuals).toHaveLength(1);
});

test('where the row itself or examples lie outside what is allowed, what is proposed does not', () => {
  const rules: FeatureRule[] = [
    { kind: 'number', low: 0.6, high: 0.8 },
    { kind: 'integer', low: 2, high: 4 },
  ];
  const row = Float64Array.of(0, 0);
  const examples = { rows: Float64Array.of(5, 9, -5, -9), features: 2 };
  const asked: Float64Array[] = [];
  const result = find({ row, rules, wanted: { kind: 'class', index: 1 }, examples, count: 2, seed: 6 }, (one) => {
    asked.push(one.slice());
    return one[0]! > 0.61 || one[1]! >= 3 ? 1 : 0;
  });
  for (const [a, b] of asked) {
    expect(a === 0 || (a! >= 0.6 && a! <= 0.8)).toBe(true);
    expect([0, 2, 3, 4]).toContain(b);
  }
  expect(result.counterfactuals.map(({ changed }) => changed).toSorted((a, b) => a[0]! - b[0]!)).toEqual([[0], [1]]);
});

test('a budget ends the search between rounds', () => {
  const options = { row: Float64Array.of(0), rules: [unit], wanted: { kind: 'class', index: 1 }, seed: 2 } as const;
  const result = find({ ...options, population: 10, budget: 25 }, () => 0);
  expect(result).toMatchObject({ evaluations: 21, stopReason: 'budget', counterfactuals: [] });
});

test('rules that allow nothing are refused', () => {
  const options = { row: Float64Array.of(0), wanted: { kind: 'class', index: 1 }, seed: 2 } as const;
  expect(() => counterfactuals({ ...options, rules: [{ kind: 'fixed' }] })).toThrow('no feature may be changed');
  expect(() => counterfactuals({ ...options, rules: [{ kind: 'integer', low: 0.2, high: 0.8 }] })).toThrow(
    'the rule of feature 0 allows no value',
  );
  expect(() => counterfactuals({ ...options, rules: [] })).toThrow('1 features need as many rules, got 0');
});
