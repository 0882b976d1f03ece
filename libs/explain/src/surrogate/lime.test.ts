import { seededRandom } from '@shoal/core';
import { limeOfMasks, limeOfRow } from '@shoal/explain';
import { drive, expectClose, furthest, play, predict } from '../../test/drive';
import { logisticGame } from '../../test/games';

/** The inverse, by Gauss and Jordan. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let c = 0; c < n; c++) {
    const pivot = rows[c]![c]!;
    rows[c] = rows[c]!.map((value) => value / pivot);
    for (let r = 0; r < n; r++) {
      const factor = rows[r]![c]!;
      if (r !== c) rows[r] = rows[r]!.map((value, j) => value - factor * rows[c]![j]!);
    }
  }
  return rows.map((row) => row.slice(n));
}

function times(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}

/** Weighted ridge and its sandwich straight from the formulas: coefficients (intercept last), their errors, R². */
function byDefinition(x: readonly number[][], y: readonly number[], w: readonly number[], ridge: number) {
  const rows = x.map((row) => [...row, 1]);
  const n = rows[0]!.length;
  const square = (weight: (i: number) => number) =>
    Array.from({ length: n }, (_i, i) =>
      Array.from({ length: n }, (_j, j) => rows.reduce((sum, row, k) => sum + weight(k) * row[i]! * row[j]!, 0)),
    );
  const bread = inverse(
    square((k) => w[k]!).map((row, i) => row.map((value, j) => value + (i === j && i < n - 1 ? ridge : 0))),
  );
  const right = Array.from({ length: n }, (_, i) => [rows.reduce((sum, row, k) => sum + w[k]! * row[i]! * y[k]!, 0)]);
  const beta = times(bread, right).flat();
  const e = rows.map((row, k) => y[k]! - row.reduce((sum, value, i) => sum + value * beta[i]!, 0));
  const meat = square((k) => (w[k]! * e[k]!) ** 2);
  const covariance = times(times(bread, meat), bread);
  const total = w.reduce((sum, value) => sum + value, 0);
  const mean = y.reduce((sum, value, k) => sum + w[k]! * value, 0) / total;
  return {
    beta,
    errors: covariance.slice(0, -1).map((row, i) => Math.sqrt((row[i]! * y.length) / (y.length - n))),
    r2:
      1 -
      e.reduce((sum, value, k) => sum + w[k]! * value * value, 0) /
        y.reduce((sum, value, k) => sum + w[k]! * (value - mean) ** 2, 0),
  };
}

test.each(['coin', 'count'] as const)(
  'masks (%s): the fit, its sandwich errors and R² are those of the formulas',
  (absent) => {
    const table = logisticGame(6, 3);
    const [x, y]: [number[][], number[][]] = [[], []];
    const result = drive(limeOfMasks({ players: 6, samples: 300, ridge: 0.5, seed: 8, absent }), (batch) => {
      const values = table.evaluate(batch);
      for (let row = 0; row < batch.count; row++) {
        x.push([...batch.masks.subarray(row * 6, row * 6 + 6)]);
        y.push([...values.subarray(row * 2, row * 2 + 2)]);
      }
      return values;
    });
    expect(x[0]).toEqual([1, 1, 1, 1, 1, 1]);
    const w = x.map((row) => {
      const present = row.reduce((sum, one) => sum + one, 0);
      const cosine = present === 0 ? 0 : present / (Math.sqrt(present) * Math.sqrt(6));
      return Math.sqrt(Math.exp(-((1 - cosine) ** 2) / 0.25 ** 2));
    });
    for (const [o, output] of result.outputs.entries()) {
      const want = byDefinition(
        x,
        y.map((values) => values[o]!),
        w,
        0.5,
      );
      expectClose(output.coefficients, want.beta.slice(0, -1), 1e-9);
      expectClose(output.values, want.beta.slice(0, -1), 1e-9);
      expectClose(output.standardErrors ?? [], want.errors, 1e-9);
      expectClose([output.baseValue, output.r2, output.outputValue], [want.beta.at(-1)!, want.r2, y[0]![o]!], 1e-9);
      expect(output.additivityGap).toBeCloseTo(y[0]![o]! - want.beta.reduce((sum, value) => sum + value, 0), 9);
    }
    expect(result).toMatchObject({ exact: false, converged: false, stopReason: 'budget', evaluations: 300 });
  },
);

test('a number of absent players that is uniform shows nearly whole texts more often than coins do', () => {
  const nearlyWhole = (absent: 'coin' | 'count') => {
    let seen = 0;
    drive(limeOfMasks({ players: 20, samples: 400, seed: 8, absent }), (batch) => {
      for (let row = 0; row < batch.count; row++)
        if (batch.masks.subarray(row * 20, row * 20 + 20).reduce((sum, one) => sum + one, 0) >= 17) seen++;
      return new Float64Array(batch.count);
    });
    return seen;
  };
  expect(nearlyWhole('count')).toBeGreaterThan(40);
  expect(nearlyWhole('coin')).toBeLessThan(10);
});

test('standard errors are what values vary by from seed to seed', () => {
  const table = logisticGame(8, 5);
  const answers = Array.from({ length: 80 }, (_, seed) =>
    drive(limeOfMasks({ players: 8, samples: 400, ridge: 0, seed }), (batch) => table.evaluate(batch)),
  );
  for (let p = 0; p < 8; p++) {
    const values = answers.map(({ outputs }) => outputs[0]!.values[p]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / 80;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 79);
    const told = answers.reduce((sum, { outputs }) => sum + outputs[0]!.standardErrors![p]! / 80, 0);
    expect(told / spread).toBeGreaterThan(0.75);
    expect(told / spread).toBeLessThan(1.33);
  }
});

const random = seededRandom(2);
const rows = Float64Array.from({ length: 300 }, (_, i) =>
  i % 3 === 2 ? Math.floor(4 * random.next()) : 10 * random.next(),
);

test.each(['mean', 'row'] as const)(
  'a row of a table (around the %s): a linear model is told exactly, categories as one term',
  (around) => {
    const row = Float64Array.of(9, 1, 2);
    const model = ([a, b, c]: Float64Array) => [3 * a! - b! + (c === 2 ? 5 : 1), 7];
    const result = drive(
      limeOfRow({ row, data: { rows, features: 3 }, categorical: [2], samples: 200, ridge: 0, seed: 1, around }),
      predict(model),
    );
    const [output, constant] = result.outputs;
    const column = (f: number) => Array.from({ length: 100 }, (_, i) => rows[i * 3 + f]!);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = (values: readonly number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
    const [a, b] = [column(0), column(1)];
    expectClose(output!.coefficients, [3 * spread(a), -spread(b), 4], 1e-8);
    expectClose(output!.values, [3 * (9 - mean(a)), mean(b) - 1, 4], 1e-8);
    expect(output!.baseValue).toBeCloseTo(3 * mean(a) - mean(b) + 1, 8);
    expectClose([output!.r2, output!.additivityGap, output!.outputValue], [1, 0, 31], 1e-8);
    expect(furthest(output!.standardErrors ?? [], [0, 0, 0])).toBeLessThan(1e-8);
    expect(furthest(constant!.values, [0, 0, 0])).toBeLessThan(1e-8);
    expect(constant!.r2).toBeNaN();
  },
);

test('it stops once errors are small enough, and not before', () => {
  const table = logisticGame(6, 3);
  const run = (targetError: number) =>
    drive(limeOfMasks({ players: 6, samples: 20_000, seed: 8, targetError }), (batch) => table.evaluate(batch));
  const [rough, fine] = [run(0.1), run(0.02)];
  expect([rough.converged, rough.stopReason]).toEqual([true, 'target_error']);
  expect(rough.evaluations).toBeLessThan(fine.evaluations);
  for (const { values, standardErrors } of fine.outputs)
    expect(Math.max(...standardErrors!) / (Math.max(...values) - Math.min(...values))).toBeLessThan(0.02);
});

test('too little is refused', () => {
  expect(() => limeOfMasks({ players: 6, samples: 7, seed: 1 })).toThrow(/needs from 8 to/u);
  expect(() => limeOfMasks({ players: 6, kernelWidth: 0, seed: 1 })).toThrow(/kernel width must be more than 0/u);
  const few = limeOfMasks({ players: 3, samples: 9, seed: 1 });
  few.tell(play(() => 1)(few.next(4)!));
  expect(few.result()).toBeUndefined();
});
