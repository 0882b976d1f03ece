import type { ShapleyResult } from '@shoal/explain';
import { drive } from '../../test/drive';
import { logisticGame } from '../../test/games';
import { limitOf, sampling } from '../../test/methods';

const players = 10;
const table = logisticGame(players, 8);

function run(name: string, budget: number, seed: number, targetError?: number): ShapleyResult {
  const estimator = sampling[name]?.({ players, budget, seed, targetError });
  if (estimator === undefined) throw new Error(name);
  return drive(estimator, (batch) => table.evaluate(batch));
}

/** Values and interactions of output 0 in one row, and their errors. */
function flat(result: ShapleyResult): { values: number[]; errors: number[] } {
  const [output] = result.outputs;
  return {
    values: [...(output?.values ?? []), ...(result.interactions?.[0] ?? [])],
    errors: [...(output?.standardErrors ?? []), ...(result.interactionErrors?.[0] ?? [])],
  };
}

const truth = Object.fromEntries(
  Object.keys(sampling).map((name) => [
    name,
    flat(drive(limitOf(name, players), (batch) => table.evaluate(batch))).values,
  ]),
);

function rootMeanSquare(name: string, budget: number, seeds: number): number {
  let sum = 0;
  for (let seed = 1; seed <= seeds; seed++)
    for (const [i, value] of flat(run(name, budget, seed)).values.entries())
      sum += (value - (truth[name]?.[i] as number)) ** 2;
  return Math.sqrt(sum / seeds / (truth[name]?.length ?? 0));
}

describe.each(Object.keys(sampling))('%s', (name) => {
  test('standard errors say how wrong it is', () => {
    let [within1, within3, known, squares, claimed] = [0, 0, 0, 0, 0];
    for (let seed = 1; seed <= 60; seed++) {
      const { values, errors } = flat(run(name, name === 'kernel' ? 500 : 700, seed));
      for (const [i, error] of errors.entries()) {
        if (error === 0) continue;
        const off = Math.abs((values[i] as number) - (truth[name]?.[i] as number));
        known++;
        if (off < error) within1++;
        if (off < 3 * error) within3++;
        squares += off ** 2;
        claimed += error ** 2;
      }
    }
    expect(known).toBeGreaterThan(500);
    // A normal error is within one standard error 68 % of the time, within three 99.7 %.
    expect(within1 / known).toBeGreaterThan(0.5);
    expect(within1 / known).toBeLessThan(0.85);
    expect(within3 / known).toBeGreaterThan(0.95);
    expect(claimed / squares).toBeGreaterThan(0.6);
    expect(claimed / squares).toBeLessThan(1.7);
  });

  test('unbiased: the mean of many runs is much nearer than one', () => {
    const mean = truth[name]?.map(() => 0) ?? [];
    for (let seed = 1; seed <= 100; seed++)
      for (const [i, value] of flat(run(name, 300, seed)).values.entries()) mean[i] = (mean[i] as number) + value / 100;
    const off = Math.sqrt(mean.reduce((sum, x, i) => sum + (x - (truth[name]?.[i] as number)) ** 2, 0) / mean.length);
    expect(off).toBeLessThan(rootMeanSquare(name, 300, 20) / 4);
  });

  test('the error falls as the budget grows', () => {
    const errors = [120, 480].map((budget) => rootMeanSquare(name, budget, 20));
    expect(errors[1]).toBeLessThan((errors[0] as number) / 1.4);
  });

  test('it stops once its errors are below the target, and says so', () => {
    const result = run(name, 1e6, 3, 0.1);
    expect([result.exact, result.converged, result.stopReason]).toEqual(
      name === 'kernel' ? [true, true, 'exact'] : [false, true, 'target_error'],
    );
    expect(result.evaluations).toBeLessThan(50_000);
    const tight = run(name, 110, 3, 1e-6);
    expect([tight.converged, tight.stopReason]).toEqual([false, 'budget']);
  });
});

test('KernelSHAP stops early within a budget that does not cover all coalitions', () => {
  const result = run('kernel', 900, 3, 0.1);
  expect([result.converged, result.stopReason]).toEqual([true, 'target_error']);
  expect(result.evaluations).toBeLessThan(500);
});

test.each(['kernel', 'permutation', 'stii'])('%s adds up exactly at any budget', (name) => {
  for (const budget of [70, 130, 500])
    for (const { additivityGap } of run(name, budget, 2).outputs) expect(Math.abs(additivityGap)).toBeLessThan(1e-9);
});
