import { seededRandom } from '@shoal/core';
import { drive } from '../../test/drive';
import { logisticGame } from '../../test/games';
import { methods, sampling } from '../../test/methods';

const table = logisticGame(9, 4);

/** Batches of random sizes up to `most`, `ahead` of them outstanding. */
function run(name: string, seed: number, most: number, ahead: number, targetError?: number) {
  const sizes = seededRandom(most * 31 + ahead);
  const estimator = methods[name]?.({ players: 9, budget: 480, seed, targetError });
  if (estimator === undefined) throw new Error(name);
  return drive(
    estimator,
    (batch) => table.evaluate(batch),
    () => 1 + Math.floor(sizes.next() * most),
    ahead,
  );
}

/** A target that is soon met stops a sampling method in the middle of its budget. */
function stopReason(name: string, target: number | undefined): string {
  if (name === 'exact') return 'exact';
  return target === undefined || sampling[name] === undefined ? 'budget' : 'target_error';
}

describe.each(Object.keys(methods))('%s', (name) => {
  test.each([undefined, 1])(
    'the same seed gives the same bits, however batches are cut (target error %s)',
    (target) => {
      const want = run(name, 11, 1, 1, target);
      expect(want.stopReason).toBe(stopReason(name, target));
      expect(want.outputs).toHaveLength(2);
      for (const [most, ahead] of [
        [7, 1],
        [7, 5],
        [64, 2],
        [5000, 3],
      ] as const)
        expect(run(name, 11, most, ahead, target)).toEqual(want);
    },
  );

  test('a batch is never larger than what was asked for', () => {
    const estimator = methods[name]?.({ players: 9, budget: 480, seed: 1 });
    for (const max of [1, 3, 17, 100]) {
      const batch = estimator?.next(max);
      if (batch === undefined) continue;
      expect(batch.count).toBeLessThanOrEqual(max);
      expect(batch.masks).toHaveLength(batch.count * 9);
    }
  });
});

test.each(Object.keys(sampling))('%s: another seed gives another answer', (name) => {
  expect(run(name, 1, 64, 1)).not.toEqual(run(name, 2, 64, 1));
});

test.each(Object.keys(methods))('%s never evaluates more than its budget', (name) => {
  for (const budget of [60, 61, 100, 333]) {
    let asked = 0;
    const estimator = methods[name]?.({ players: 6, budget, seed: 1 });
    const small = logisticGame(6, 2);
    const result = drive(estimator as never, (batch: Parameters<typeof small.evaluate>[0]) => {
      asked += batch.count;
      return small.evaluate(batch);
    }) as { evaluations: number };
    expect(asked).toBeLessThanOrEqual(Math.max(budget, name === 'exact' ? 64 : 0));
    expect(result.evaluations).toBe(asked);
  }
});
