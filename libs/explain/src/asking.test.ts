import { seededRandom } from '@shoal/core';
import {
  ablation,
  accumulatedEffects,
  anchorOfMasks,
  anchorOfRow,
  counterfactuals,
  infidelityOfMasks,
  infidelityOfNoise,
  limeOfMasks,
  limeOfRow,
  occlusion,
  partialDependence,
  permutationImportance,
  removalCurve,
  rise,
  sensitivityMax,
  squaredError,
} from '@shoal/explain';
import { type Asks, drive, play, predict } from '../test/drive';
import { reach } from '../test/reach';

const features = 6;
const random = seededRandom(17);
const row = Float64Array.from({ length: features }, () => random.next());
const data = { rows: Float64Array.from({ length: 40 * features }, () => random.next()), features };
const mix = (values: ArrayLike<number>) =>
  Array.from(values).reduce(
    (sum, value, i) => sum + value * Math.cos(i) + value * (values[(i + 1) % features] ?? 0),
    0,
  );
const model = (values: ArrayLike<number>) => [1 / (1 + Math.exp(-mix(values))), mix(values) ** 2];
const image = { height: 2, width: 3, channels: 1, planes: true, values: row };
const one = [Float64Array.from(row), Float64Array.from(row)];

type Ask = (values: Float64Array) => Asks<unknown, never>;
const of = (make: () => unknown): Ask => make as Ask;

const masks = {
  ablation: of(() => ablation({ players: features })),
  occlusion: of(() => occlusion({ shape: [2, 3], window: [2, 2] })),
  lime: of(() => limeOfMasks({ players: features, samples: 3000, targetError: 0.05, seed: 1 })),
  anchors: of(() => anchorOfMasks({ players: features, seed: 1, beam: 2 })),
  infidelity: of(() => infidelityOfMasks({ attributions: one, samples: 500, seed: 1 })),
  deletion: of(() => removalCurve({ values: row, mode: 'deletion' })),
};
const rows = {
  'lime of a row': of(() => limeOfRow({ row, data, samples: 700, seed: 1 })),
  'anchors of a row': of(() =>
    anchorOfRow({ row, data, seed: 1, beam: 2, budget: 6000, label: ([p]) => (p! > 0.8 ? 1 : 0) }),
  ),
  rise: of(() => rise({ image, baseline: new Float64Array(features), masks: 700, cells: 2, seed: 1 })),
  'partial dependence': of(() => partialDependence({ data, feature: 1, grid: Float64Array.of(0, 0.5, 1) })),
  'accumulated effects': of(() => accumulatedEffects({ data, feature: 1, edges: Float64Array.of(0, 0.5, 1) })),
  importance: of(() => permutationImportance({ data, targets: new Float64Array(40), loss: squaredError, seed: 1 })),
  counterfactuals: of(() =>
    counterfactuals({
      row,
      rules: Array.from(row, () => ({ kind: 'number', low: 0, high: 1 }) as const),
      wanted: { kind: 'range', output: 1, low: 12, high: 20 },
      count: 3,
      population: 20,
      seed: 1,
    }),
  ),
  'infidelity to noise': of(() => infidelityOfNoise({ attributions: one, row, spreads: row, samples: 500, seed: 1 })),
  sensitivity: of(() =>
    sensitivityMax({
      row,
      seed: 1,
      explain: (near) => {
        const lime = limeOfRow({ row: near, data, samples: 60, seed: 1 });
        return {
          next: (max) => lime.next(max),
          tell: (values) => lime.tell(values),
          get done() {
            return lime.done;
          },
          result: () => lime.result()?.outputs.map(({ values }) => values),
        };
      },
    }),
  ),
};
const all = [
  ...Object.entries(masks).map(([name, make]) => ({ name, make, evaluate: play(model as never) })),
  ...Object.entries(rows).map(([name, make]) => ({ name, make, evaluate: predict(model) as never })),
];

test.each(all)('$name: the same answer whatever the batches and how many are outstanding', ({ make, evaluate }) => {
  const want = drive(make(row), evaluate);
  for (const [most, ahead] of [
    [1, 1],
    [7, 3],
    [100, 2],
    [5000, 1],
    [3, 40],
  ] as const) {
    const sizes = seededRandom(most);
    expect(drive(make(row), evaluate, () => 1 + Math.floor(sizes.next() * most), ahead)).toEqual(want);
  }
});

test.each(all)(
  '$name: batches are no larger than asked; answers of another size or no number are refused',
  ({ make, evaluate }) => {
    const asks = make(row);
    const first = asks.next(2) as unknown as { readonly count: number };
    expect(first.count).toBeLessThanOrEqual(2);
    expect(() => asks.tell(new Float64Array(2 * first.count).fill(Number.NaN))).toThrow(
      /NaN for one of its perturbed inputs/u,
    );
    const again = make(row);
    again.tell((evaluate as (batch: unknown) => Float64Array)(again.next(1)));
    again.next(1);
    expect(() => again.tell(new Float64Array(3))).toThrow(/got 3 for 1|model gives 3/u);
    expect(() => make(row).tell(new Float64Array(2))).toThrow('values were told that nobody asked for');
  },
);

test.each([
  ['lime', () => limeOfMasks({ players: features, samples: 100_000, seed: 1 }), play(model)],
  ['infidelity', () => infidelityOfMasks({ attributions: one, samples: 100_000, seed: 1 }), play(model)],
  ['rise', () => rise({ image, baseline: row, masks: 100_000, cells: 2, seed: 1 }), predict(model)],
  [
    'importance',
    () => permutationImportance({ data, targets: new Float64Array(40), loss: squaredError, repeats: 200, seed: 1 }),
    predict(model),
  ],
  [
    'partial dependence',
    () => partialDependence({ data, feature: 1, grid: Float64Array.from({ length: 1000 }, (_, i) => i) }),
    predict(model),
  ],
] as const)('%s keeps no more after 30 000 evaluations than after 3000', (_name, make, evaluate) => {
  const estimator = make() as Asks<unknown, never>;
  const sizes: ReturnType<typeof reach>[] = [];
  let asked = 0;
  for (const until of [3000, 30_000]) {
    while (asked < until) {
      const batch = estimator.next(100);
      if (batch === undefined) break;
      asked += (batch as { readonly count: number }).count;
      estimator.tell((evaluate as (batch: unknown) => Float64Array)(batch));
    }
    sizes.push(reach(estimator));
  }
  expect(asked).toBe(30_000);
  expect(sizes[0]?.objects).toBeGreaterThan(3);
  expect(sizes[1]?.bytes).toBeLessThanOrEqual(sizes[0]?.bytes ?? 0);
  expect(sizes[1]?.objects).toBeLessThanOrEqual(sizes[0]?.objects ?? 0);
});
