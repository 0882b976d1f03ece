import { seededRandom } from '@shoal/core';
import { play } from '../../test/drive';
import { sampling } from '../../test/methods';
import { reach } from '../../test/reach';

test.each(Object.keys(sampling))('%s keeps no more after 60 000 evaluations than after 6000', (name) => {
  const players = 20;
  const random = seededRandom(3);
  const estimator = sampling[name]?.({ players, budget: 100_000, seed: 1 });
  const evaluate = play(() => random.next());
  const sizes: { readonly bytes: number; readonly objects: number }[] = [];
  let asked = 0;
  for (const until of [6000, 60_000]) {
    while (asked < until) {
      const batch = estimator?.next(100);
      if (batch === undefined) break;
      asked += batch.count;
      estimator?.tell(evaluate(batch));
    }
    sizes.push(reach(estimator));
  }
  expect(asked).toBe(60_000);
  const [early, late] = sizes;
  expect(late?.bytes).toBeLessThanOrEqual(early?.bytes ?? 0);
  expect(late?.objects).toBeLessThanOrEqual(early?.objects ?? 0);
});
