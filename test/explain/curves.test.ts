import { ExplainClient } from '../support/explain-client';
import { type DiabetesFixture, diabetesRequest, explainFixture, rowsOf } from '../support/explain-requests';
import { type Shoal, startShoal } from '../support/shoal';
import { float32, float32Output, inferRequest, int32 } from '../support/tensors';

const diabetes = explainFixture<DiabetesFixture>('diabetes-mlp');
const data = diabetes.background;
const row = diabetes.cases[0]?.input as number[];
let shoal: Shoal;
let client: ExplainClient;

beforeAll(async () => {
  shoal = await startShoal({ models: { diabetes_mlp: {}, simple: {}, iris_logreg: {} } });
  client = new ExplainClient(shoal.address);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
}, 40_000);

interface Curves {
  readonly exact: boolean;
  readonly partial: boolean;
  readonly warnings: readonly string[];
  readonly usage: { readonly evaluations: number; readonly rows: number };
  readonly curves: readonly {
    readonly feature: number;
    readonly output: string;
    readonly grid: number[];
    readonly values: number[];
    readonly standard_errors: number[];
    readonly row_values: number[];
    readonly row_at: number;
    readonly individual: number[];
    readonly counts: number[];
  }[];
}
const explain = (more: object) => client.call<Curves>('Explain', diabetesRequest({ seed: 3, ...more }));

async function predict(rows: readonly (readonly number[])[]): Promise<number[]> {
  const answer = await shoal.client.infer(
    inferRequest('diabetes_mlp', [float32('input', [rows.length, 10], rows.flat())]),
  );
  return float32Output(answer, answer.outputs[0]?.name ?? '');
}

const set = (rows: readonly (readonly number[])[], feature: number, value: number) =>
  rows.map((one) => one.map((own, at) => (at === feature ? value : own)));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('partial dependence is the mean over the background, and each row has a curve of its own', async () => {
  const answer = await explain({ partial_dependence: { features: [2, 8], points: 5, individual: true } });
  expect(answer).toMatchObject({ exact: true, warnings: [] });
  expect(answer.curves.map(({ feature }) => feature)).toEqual([2, 8]);
  expect(answer.usage.evaluations).toBe(2 * 5 * 21);
  for (const {
    feature,
    grid,
    values,
    standard_errors: errors,
    row_values: own,
    row_at: at,
    individual,
  } of answer.curves) {
    expect(grid).toHaveLength(5);
    expect(grid.toSorted((a, b) => a - b)).toEqual(grid);
    expect(at).toBeCloseTo(row[feature] as number, 6);
    for (const [point, value] of grid.entries()) {
      const each = await predict(set(data, feature, value));
      expect(values[point]).toBeCloseTo(mean(each), 5);
      const spread = Math.sqrt(each.reduce((sum, one) => sum + (one - mean(each)) ** 2, 0) / 19 / 20);
      expect(errors[point]).toBeCloseTo(spread, 5);
      for (const [i, one] of each.entries()) expect(individual[i * 5 + point]).toBeCloseTo(one, 5);
      expect(own[point]).toBeCloseTo((await predict(set([row], feature, value)))[0] as number, 5);
    }
  }
}, 60_000);

test('a grid at equal distances, and all features where none is named', async () => {
  const { curves } = await explain({ partial_dependence: { points: 3, uniform: true } });
  expect(curves).toHaveLength(10);
  for (const { feature, grid, individual } of curves) {
    const column = data.map((one) => Math.fround(one[feature] as number));
    const [low, high] = [Math.min(...column), Math.max(...column)];
    expect(grid).toEqual([low, expect.closeTo((low + high) / 2, 9), high]);
    expect(individual).toEqual([]);
  }
}, 60_000);

test('accumulated effects: steps within the intervals, summed up, with mean 0', async () => {
  const { curves, usage } = await explain({ accumulated_effects: { features: [3], intervals: 4 } });
  const [{ feature, grid, values, counts, row_values: own }] = curves as [Curves['curves'][number]];
  expect(usage.evaluations).toBe(2 * 20);
  expect(own).toEqual([]);
  const column = data.map((one) => Math.fround(one[feature] as number));
  const interval = column.map((value) =>
    Math.max(
      0,
      grid.slice(1).findIndex((edge) => value <= edge),
    ),
  );
  expect(counts).toEqual([0, 1, 2, 3].map((k) => interval.filter((one) => one === k).length));
  const steps = await Promise.all(
    [0, 1, 2, 3].map(async (k) => {
      const inside = data.filter((_, at) => interval[at] === k);
      const [below, above] = [set(inside, feature, grid[k] as number), set(inside, feature, grid[k + 1] as number)];
      return mean(await predict(above)) - mean(await predict(below));
    }),
  );
  for (const [k, step] of steps.entries()) expect((values[k + 1] ?? 0) - (values[k] ?? 0)).toBeCloseTo(step, 5);
  const centre = counts.reduce((sum, n, k) => sum + n * (((values[k] ?? 0) + (values[k + 1] ?? 0)) / 2), 0);
  expect(centre / 20).toBeCloseTo(0, 9);
}, 60_000);

test('in link space: the mean of log-odds; of whole numbers, whole numbers', async () => {
  const rows = [
    [5.1, 3.5, 1.4, 0.2],
    [6.1, 2.8, 4.7, 1.2],
    [5.9, 3.2, 4.8, 1.8],
  ];
  const table = { model_name: 'iris_logreg', ...rowsOf(float32('input', [1, 4], rows[1] ?? [])) };
  const { curves } = await client.call<Curves>('Explain', {
    ...table,
    baseline: { rows: rowsOf(float32('input', [3, 4], rows.flat())) },
    output: { name: 'probabilities', indices: { index: [1] } },
    link: { function: 'LOGIT' },
    partial_dependence: { features: [2] },
  });
  expect(curves[0]?.grid).toHaveLength(3);
  for (const [point, value] of (curves[0]?.grid ?? []).entries()) {
    const changed = set(rows, 2, value);
    const said = await shoal.client.infer(inferRequest('iris_logreg', [float32('input', [3, 4], changed.flat())]));
    const all = float32Output(said, 'probabilities').filter((_, at) => at % 3 === 1);
    expect(curves[0]?.values[point]).toBeCloseTo(mean(all.map((p) => Math.log(p / (1 - p)))), 3);
  }
  const whole = (name: string) =>
    int32(
      name,
      [2, 16],
      Array.from({ length: 32 }, (_, at) => at),
    );
  const ones = Array<number>(16).fill(1);
  const sums = await client.call<Curves>('Explain', {
    model_name: 'simple',
    ...rowsOf(int32('INPUT0', [1, 16], ones), int32('INPUT1', [1, 16], ones)),
    baseline: { rows: rowsOf(whole('INPUT0'), whole('INPUT1')) },
    output: { name: 'OUTPUT0', indices: { index: [3] } },
    partial_dependence: { features: [3, 20], points: 6, uniform: true },
  });
  expect(sums.curves[0]?.grid).toEqual([3, 6, 9, 13, 16, 19]);
  // The other summand is 3 and 19; feature 20 is of another sum.
  expect(sums.curves[0]?.values).toEqual([3, 6, 9, 13, 16, 19].map((value) => value + 11));
  expect(new Set(sums.curves[1]?.values)).toEqual(new Set([22]));
}, 60_000);

interface Shuffled {
  readonly usage: { readonly evaluations: number };
  readonly importance: { readonly loss: number; readonly values: number[]; readonly standard_errors: number[] };
}

test('permutation importance: the loss as it is, what shuffling adds to it, the same for the same seed', async () => {
  const said = await predict(data);
  // Right answers that the model misses by 0.1: it can only become worse.
  const targets = said.map((value, at) => value + (at % 2 === 0 ? 0.1 : -0.1));
  const request = diabetesRequest({ permutation_importance: { targets, repeats: 4 }, seed: 8 });
  const [one, cut] = await Promise.all([
    client.call<Shuffled>('Explain', request),
    client.call<Shuffled>('Explain', { ...request, row_batch: 3 }),
  ]);
  expect(cut.importance).toEqual(one.importance);
  expect(one.importance.loss).toBeCloseTo(0.01, 5);
  expect(one.importance.values).toHaveLength(10);
  expect(Math.max(...one.importance.values)).toBeGreaterThan(0.1);
  expect(one.importance.standard_errors.every((error) => error > 0)).toBe(true);
  expect(one.usage.evaluations).toBe((1 + 10 * 4) * 20);
  const explained = [{ name: 'input', groups: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1] }];
  const grouped = await client.call<Shuffled>('Explain', { ...request, explained });
  expect(grouped.importance.values).toHaveLength(2);
  // Together, features are shuffled as whole rows: no answer is left where it was.
  const all = await client.call<Shuffled>('Explain', {
    ...request,
    explained: [{ name: 'input', groups: Array(10).fill(0) }],
  });
  expect(all.importance.values[0]).toBeGreaterThan(Math.max(...one.importance.values));
}, 60_000);

test.each([
  ['features that there are not', { partial_dependence: { features: [10] } }, 'there is no feature 10, but 10 of them'],
  [
    'groups',
    { partial_dependence: {}, explained: [{ name: 'input', groups: Array(10).fill(0) }] },
    'of single numbers',
  ],
  ['no typical rows', { accumulated_effects: {}, baseline: null }, 'give a baseline of several'],
  [
    'more than the budget',
    { partial_dependence: {}, budget: { max_evaluations: 100 } },
    'the budget is 100: name features',
  ],
  ['targets of another number', { permutation_importance: { targets: [1] } }, '20 rows of the background need as many'],
  [
    'classes of one output',
    { permutation_importance: { targets: data.map(() => 0), loss: 'WRONG_CLASS' } },
    'an element for each',
  ],
])('%s are refused', async (_, more, why) => {
  const failure = await client.failure('Explain', diabetesRequest(more));
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', details: expect.stringContaining(why) });
});
