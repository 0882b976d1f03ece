import {
  exact,
  type FeatureTree,
  kernelShap,
  owen,
  partition,
  permutationShapley,
  sampledInteractions,
} from '@shoal/explain';
import { methods } from '../../test/methods';

const sampled = { players: 20, seed: 1 };

test.each([
  ['at most 16 players, got 17', () => exact({ players: 17 })],
  ['at least one player', () => exact({ players: 0 })],
  ['at least 42 evaluations, got 41', () => kernelShap({ ...sampled, budget: 41 })],
  ['at least 40 evaluations, got 39', () => permutationShapley({ ...sampled, budget: 39 })],
  ['at least 211 evaluations, got 210', () => sampledInteractions({ ...sampled, budget: 210, index: 'sii' })],
  ['at most 512 players', () => kernelShap({ players: 513, budget: 1e6, seed: 1 })],
  ['each of the players 0 to 2 once', () => owen({ players: 3, groups: [[0, 1], [1]] })],
  [
    '1000000 coalitions|more than 1048576',
    () => owen({ players: 30, groups: [Array.from({ length: 30 }, (_, p) => p)] }),
  ],
  ['each of the players 0 to 2 once', () => partition({ players: 3, tree: [0, 1] as FeatureTree, budget: 9 })],
] as const)('%s', (message, make) => {
  expect(make).toThrow(new RegExp(message));
});

test.each(Object.keys(methods))('%s refuses values that are no numbers, and those of another shape', (name) => {
  const make = () => {
    const estimator = methods[name]?.({ players: 4, budget: 60, seed: 1 });
    const batch = estimator?.next(2);
    expect([...(batch?.masks ?? [])]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    return estimator;
  };
  expect(() => make()?.tell(Float64Array.of(1, Number.NaN))).toThrow(/NaN/);
  expect(() => make()?.tell(Float64Array.of(1, 2, 3))).toThrow(/as many values/);
  const estimator = make();
  estimator?.tell(Float64Array.of(1, 2));
  expect(() => estimator?.tell(Float64Array.of(1, 2))).toThrow(/nobody asked/);
});

test.each(['kernel', 'permutation', 'banzhaf', 'sii'])(
  '%s: no answer before it can have one, then one that grows',
  (name) => {
    const estimator = methods[name]?.({ players: 6, budget: 60, seed: 1 });
    expect(estimator?.result()).toBeUndefined();
    const ends = estimator?.next(2);
    estimator?.tell(Float64Array.of(0, 1));
    expect(ends?.count).toBe(2);
    expect(estimator?.result()).toBeUndefined();
    const known: number[] = [];
    for (let batch = estimator?.next(20); batch !== undefined; batch = estimator?.next(20)) {
      estimator?.tell(Float64Array.from({ length: batch.count }, (_, i) => i));
      known.push(estimator?.result()?.evaluations ?? 0);
    }
    expect(known).toEqual(known.toSorted((a, b) => a - b));
    expect(known.at(-1)).toBeGreaterThan(40);
  },
);
