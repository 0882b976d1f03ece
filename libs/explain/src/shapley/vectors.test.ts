import {
  type Estimator,
  type FeatureTree,
  exact,
  kernelShap,
  owen,
  partition,
  permutationShapley,
  type ShapleyResult,
} from '@shoal/explain';
import { furthest, explain, type Game, valuesOf } from '../../test/drive';

/** All ways to the exact Shapley values of a small game without third-order interactions, or of any at full budget. */
function exactly(players: number): Estimator<ShapleyResult>[] {
  return [
    exact({ players }),
    kernelShap({ players, budget: 2 ** players, seed: 1 }),
    owen({ players, groups: Array.from({ length: players }, (_, p) => [p]) }),
    exact({ players, index: 'sii' }),
  ];
}

/** How far the furthest of them is from what it should be. */
function shapleyError(game: Game, want: readonly number[]): number {
  return Math.max(...exactly(want.length).map((estimator) => furthest(valuesOf(explain(estimator, game)), want)));
}

/** f = relu(s−10) + 3·relu(s+1) − 1, s the sum of the inputs: output 0 of a small network. */
function network(inputs: readonly number[]): number {
  const s = inputs.reduce((sum, x) => sum + x, 0);
  return Math.max(0, s - 10) + 3 * Math.max(0, s + 1) - 1;
}

/** The network's game: absent players take the baseline's inputs. */
function substituted(row: readonly number[], baseline: readonly number[], groups: readonly number[]): Game {
  return (mask) => network(row.map((x, i) => (mask[groups[i] as number] === 1 ? x : (baseline[i] as number))));
}

test.each([
  { row: [20, 50, 30], baseline: [0, 0, 0], groups: [0, 1, 2], want: [76 + 2 / 3, 196 + 2 / 3, 116 + 2 / 3] },
  { row: [20, 50, 30], baseline: [10, 20, 10], groups: [0, 1, 2], want: [40, 120, 80] },
  { row: [20, 50, 30], baseline: [0, 0, 0], groups: [0, 0, 1], want: [275, 115] },
  { row: [20, 50, 30], baseline: [4, 4, 4], groups: [0, 0, 1], want: [248, 104] },
  { row: [2, 10, 3], baseline: [0, 0, 0], groups: [0, 1, 2], want: [7, 32.5, 10.5] },
])('a network of two units: $row against $baseline', ({ row, baseline, groups, want }) => {
  expect(shapleyError(substituted(row, baseline, groups), want)).toBeLessThan(1e-9);
});

test('three inputs that are summed, nine players', () => {
  const row = [23, 0, 0, 20, 0, 50, 0, 100, 10];
  const game = substituted(row, Array(9).fill(0) as number[], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(shapleyError(game, [90, 0, 0, 78, 0, 198, 0, 398, 38])).toBeLessThan(1e-9);
});

test('the ends of the network are as given', () => {
  const [output] = explain(exact({ players: 3 }), substituted([20, 50, 30], [0, 0, 0], [0, 1, 2])).outputs;
  expect([output?.baseValue, output?.outputValue]).toEqual([2, 392]);
  expect(output?.additivityGap).toBeCloseTo(0, 9);
});

test('a game of second order is exact after one antithetic permutation', () => {
  const game: Game = ([a, b, c, d]) =>
    (a as number) * (c as number) + (b as number) + (c as number) * (1 + (d as number));
  expect(shapleyError(game, [0.5, 1, 2, 0.5, 0])).toBeLessThan(1e-9);
  const result = explain(permutationShapley({ players: 5, budget: 10, seed: 3 }), game);
  expect(furthest(valuesOf(result), [0.5, 1, 2, 0.5, 0])).toBeLessThan(1e-9);
  expect(result.evaluations).toBe(10);
});

test('a linear function against a background: (x − mean)·β', () => {
  const background = [
    [1, 5],
    [3, -1],
    [-1, 2],
  ];
  const game: Game = (mask) =>
    background.reduce(
      (sum, [a, b]) => sum + (mask[0] === 1 ? 7 : (a as number)) + 2 * (mask[1] === 1 ? 4 : (b as number)),
      0,
    ) / 3;
  expect(shapleyError(game, [6, 4])).toBeLessThan(1e-9);
});

/** A game by its table: value of the coalition whose bit p says that player p is present. */
function table(values: readonly number[]): Game {
  return (mask) => values[mask.reduce((bits, present, p) => bits | (present << p), 0)] as number;
}

test('two players: what they are worth together beyond what each is alone', () => {
  const { interactions } = explain(exact({ players: 2, index: 'stii' }), table([0, 2, 3, 8]));
  expect(furthest(interactions?.[0] ?? [], [0, 3, 3, 0])).toBeLessThan(1e-9);
});

test('the cooking game', () => {
  // Given as ∅, 0, 1, 2, 01, 02, 12, 012.
  const [none, a, b, c, ab, ac, bc, abc] = [10, 4, 3, 2, 9, 8, 7, 15];
  expect(shapleyError(table([none, a, b, ab, c, ac, bc, abc]), [8 / 3, 5 / 3, 2 / 3])).toBeLessThan(1e-9);
  expect(shapleyError(table([0, a, b, ab, c, ac, bc, abc]), [6, 5, 4])).toBeLessThan(1e-9);
});

test('a uniform game with one interacting pair', () => {
  const game: Game = (mask) =>
    mask.reduce((sum, present) => sum + present, 0) / 7 + (mask[1] === 1 && mask[2] === 1 ? 1 : 0);
  expect(shapleyError(game, [1 / 7, 9 / 14, 9 / 14, 1 / 7, 1 / 7, 1 / 7, 1 / 7])).toBeLessThan(1e-9);
  const { interactions } = explain(exact({ players: 7, index: 'k-sii' }), game);
  expect(furthest([interactions?.[0]?.[1 * 7 + 2] as number, interactions?.[0]?.[0] as number], [1, 0])).toBeLessThan(
    1e-9,
  );
});

test('a partition tree of four, divided to the end, gives the Owen values of its halves', () => {
  const tree: FeatureTree = [
    [0, 1],
    [2, 3],
  ];
  const game: Game = ([a, b, c, d]) =>
    3 * (a as number) * (b as number) * (c as number) - (c as number) * (d as number) + (b as number);
  const divided = explain(partition({ players: 4, tree, budget: 100 }), game);
  const want = explain(
    owen({
      players: 4,
      groups: [
        [0, 1],
        [2, 3],
      ],
    }),
    game,
  );
  expect(divided.exact).toBe(true);
  expect(furthest(valuesOf(divided), valuesOf(want))).toBeLessThan(1e-9);
});

test.each(Array.from({ length: 13 }, (_, i) => i + 2))(
  'KernelSHAP of %s players covers all sizes once the budget is all coalitions, and not with two fewer',
  (players) => {
    const game: Game = (mask) => mask.reduce((sum, present, p) => sum + present * p, 0) ** 2;
    const all = explain(kernelShap({ players, budget: 2 ** players, seed: 1 }), game);
    expect([all.exact, all.evaluations]).toEqual([true, 2 ** players]);
    expect(furthest(valuesOf(all), valuesOf(explain(exact({ players }), game)))).toBeLessThan(1e-9);
    const fewer = Math.max(2 * players + 2, 2 ** players - 2);
    expect(explain(kernelShap({ players, budget: Math.min(fewer, 2 ** players), seed: 1 }), game).exact).toBe(
      players < 4,
    );
  },
);
