import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ExplainClient, type Explanation } from '../support/explain-client';
import { type DiabetesFixture, diabetesRequest, explainFixture, rowsOf } from '../support/explain-requests';
import { protoFolder, root } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { float32 } from '../support/tensors';

interface Iris {
  readonly background: number[][];
  readonly feature_names: string[];
  readonly tolerance: number;
  readonly cases: readonly {
    readonly input: number[];
    readonly base: number[];
    readonly output_probabilities: number[];
    readonly shapley_probabilities: number[][];
  }[];
}
interface Digits {
  readonly tolerance: number;
  readonly case: {
    readonly explained_class: number;
    readonly input: number[][][];
    readonly base_logits: number[];
    readonly shapley_patches: { readonly values: number[][] };
    readonly banzhaf_patches: number[];
    readonly shapley_interaction_patches: number[][];
    readonly occlusion_patches: number[];
  };
}
const iris = JSON.parse(readFileSync(path.join(root, 'libs/explain/src/fixtures/iris-logreg.json'), 'utf8')) as Iris;
const digits = explainFixture<Digits>('digits-cnn');
const diabetes = explainFixture<DiabetesFixture>('diabetes-mlp');
const [diabetesCase] = diabetes.cases;
let shoal: Shoal;
/** One request at a time, of few rows. */
let narrow: Shoal;
let client: ExplainClient;
let narrowClient: ExplainClient;

beforeAll(async () => {
  const models = { iris_logreg: {}, diabetes_mlp: {}, digits_cnn: {} };
  [shoal, narrow] = await Promise.all([
    startShoal({ models }),
    startShoal({ models: { diabetes_mlp: {} }, args: ['--explain-outstanding-requests', '1'] }),
  ]);
  client = new ExplainClient(shoal.address);
  narrowClient = new ExplainClient(narrow.address);
}, 60_000);

afterAll(async () => {
  client.close();
  narrowClient.close();
  await Promise.all([shoal.stop(), narrow.stop()]);
}, 40_000);

function irisRequest(input: readonly number[], more: object = {}) {
  return {
    model_name: 'iris_logreg',
    ...rowsOf(float32('input', [1, 4], input)),
    explained: [{ name: 'input', feature_names: iris.feature_names }],
    baseline: { rows: rowsOf(float32('input', [iris.background.length, 4], iris.background.flat())) },
    output: { name: 'probabilities', all: true },
    ...more,
  };
}

function expectClose(got: readonly number[] | undefined, want: readonly number[] | undefined, tolerance: number): void {
  expect(got).toHaveLength(want?.length ?? -1);
  want?.forEach((value, at) => expect(Math.abs((got?.[at] ?? NaN) - value)).toBeLessThanOrEqual(tolerance));
}

test('auto takes all coalitions of few features, as shap does, and says so', async () => {
  for (const { input, base, output_probabilities: full, shapley_probabilities: values } of iris.cases) {
    const answer = await client.explain(irisRequest(input, { id: 'mine' }));
    expect(answer).toMatchObject({ id: 'mine', model_version: '1', method: 'exact', partial: false });
    expect(answer).toMatchObject({ exact: true, converged: true, stop_reason: 'exact', warnings: [] });
    expect(answer.reason).toBe('4 features: all 16 coalitions can be evaluated');
    expect(answer.features.map(({ name }) => name)).toEqual(iris.feature_names);
    expect(answer.outputs.map(({ label }) => label)).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(answer.background).toMatchObject({ rows: 20, source: 'request', name: '' });
    // The ends are known: the row itself is asked once, alone.
    expect(answer.usage).toMatchObject({ evaluations: 16, rows: 1 + 15 * 20 });
    for (const [at, one] of answer.outputs.entries()) {
      expectClose(
        one.values,
        values.map((row) => row[at] as number),
        iris.tolerance,
      );
      expectClose([one.base_value, one.output_value], [base[at] as number, full[at] as number], iris.tolerance);
      expect(Math.abs(one.additivity_gap)).toBeLessThan(1e-12);
      expect(one.standard_errors).toEqual([]);
    }
  }
}, 30_000);

test('what is explained is chosen once, for the row as it is', async () => {
  const input = iris.cases[0]?.input ?? [];
  const chosen = async (output: object) =>
    (await client.explain(irisRequest(input, { output }))).outputs.map((one) => [one.output, one.index]);
  expect(await chosen({})).toEqual([['probabilities', 0]]);
  expect(await chosen({ name: 'probabilities', top_k: 2 })).toEqual([
    ['probabilities', 0],
    ['probabilities', 1],
  ]);
  expect(await chosen({ indices: { index: [2, 0] } })).toEqual([
    ['probabilities', 2],
    ['probabilities', 0],
  ]);
  expect(await chosen({ name: 'label' })).toEqual([['label', 0]]);
}, 30_000);

test('the logit link: of a linear model against one row, weights times differences; what is saturated is clamped and told', async () => {
  const input = iris.cases[0]?.input ?? [];
  const one = { baseline: { rows: rowsOf(float32('input', [1, 4], iris.background[0] ?? [])) } };
  const answer = await client.explain(irisRequest(input, { ...one, link: { function: 'LOGIT', epsilon: 0.1 } }));
  expect(answer.link).toMatchObject({ function: 'LOGIT', epsilon: 0.1 });
  expect(answer.link.clamped).toBeGreaterThan(0);
  expect(answer.warnings[0]).toContain('nearer to 0 or 1 than 0.1 were clamped');
  expect(answer.outputs[0]?.output_value).toBeCloseTo(Math.log(9), 9);
  const plain = await client.explain(irisRequest(input, { ...one, link: { function: 'LOGIT' } }));
  const { base_value: base, output_value: full } = plain.outputs[0] as Explanation['outputs'][number];
  expect(full).toBeCloseTo(Math.log(0.971493124961853 / 0.028506875038147), 4);
  expect(plain.outputs[0]?.values.reduce((sum, value) => sum + value, base)).toBeCloseTo(full, 9);
}, 30_000);

const sampled = ['kernel_shap', 'permutation', 'partition', 'exact'] as const;
test.each(sampled)(
  '%s: ten features of a network, to its tolerance or its own error',
  async (method) => {
    const answer = await client.explain(diabetesRequest({ [method]: {}, seed: 7, budget: { max_evaluations: 2048 } }));
    const [one] = answer.outputs;
    expect(answer.method).toBe(method);
    expectClose(
      [one?.base_value ?? 0, one?.output_value ?? 0],
      [diabetesCase?.base ?? 1, diabetesCase?.output ?? 1],
      1e-4,
    );
    expect(Math.abs(one?.additivity_gap ?? 1)).toBeLessThan(1e-9);
    if (method === 'partition') return;
    const want = diabetesCase?.shapley.map(([value]) => value as number) ?? [];
    for (const [at, value] of want.entries()) {
      const error = one?.standard_errors[at] ?? 0;
      expect(Math.abs((one?.values[at] ?? NaN) - value)).toBeLessThanOrEqual(diabetes.tolerance + 5 * error);
    }
    expect(answer.exact).toBe(method !== 'permutation');
  },
  30_000,
);

test('the same request gives the same numbers, whatever is under way at a time and however rows are cut', async () => {
  for (const method of ['kernel_shap', 'permutation', 'banzhaf', 'interactions', 'partition']) {
    const request = diabetesRequest({ [method]: {}, seed: 3, budget: { max_evaluations: 400 } });
    const wide = await client.explain(request);
    const [again, one, cut] = await Promise.all([
      client.explain(request),
      narrowClient.explain(request),
      narrowClient.explain({ ...request, row_batch: 20 }),
    ]);
    for (const other of [again, one, cut]) expect(other.outputs).toEqual(wide.outputs);
    expect(cut.usage.requests).toBeGreaterThan(one.usage.requests);
  }
  const [one, other] = await Promise.all(
    [3, 4].map((seed) => client.explain(diabetesRequest({ permutation: {}, seed, budget: { max_evaluations: 400 } }))),
  );
  expect(one?.outputs).not.toEqual(other?.outputs);
}, 60_000);

test('LIME has a linear model’s own words: errors, how well it fits, the same for the same seed', async () => {
  const request = diabetesRequest({ lime: { samples: 600 }, seed: 2 });
  const [one, again] = await Promise.all([client.explain(request), narrowClient.explain(request)]);
  expect(again.outputs).toEqual(one.outputs);
  expect(one.usage.evaluations).toBe(600);
  expect(one.warnings).toEqual([expect.stringMatching(/variance \(R²\): 0\.\d+$/)]);
  expect(Math.max(...(one.outputs[0]?.standard_errors ?? []))).toBeGreaterThan(0);
  const beyond = diabetesRequest({ lime: { samples: 11 }, budget: { max_evaluations: 10 } });
  expect(await client.failure('Explain', beyond)).toMatchObject({ code: 'INVALID_ARGUMENT' });
}, 30_000);

test('a background is summarized by clusters', async () => {
  const { baseline, ...rest } = diabetesRequest({ exact: {} });
  const one = await client.explain({ ...rest, baseline: { ...baseline, summarize: 1 } });
  const mean = Array.from(
    { length: 10 },
    (_, f) => diabetes.background.reduce((sum, row) => sum + (row[f] ?? 0), 0) / 20,
  );
  const same = await client.explain({ ...rest, baseline: { rows: rowsOf(float32('input', [1, 10], mean)) } });
  expect(one.background.rows).toBe(1);
  expectClose(one.outputs[0]?.values, same.outputs[0]?.values, 1e-5);
  const five = await client.explain({ ...rest, baseline: { ...baseline, summarize: 5 }, seed: 1 });
  expect(five.background.rows).toBe(5);
  expect(five.outputs[0]?.base_value).not.toBe(one.outputs[0]?.base_value);
}, 30_000);

test('a target error ends it before the budget', async () => {
  const budget = { max_evaluations: 100_000, target_error: 0.05 };
  const answer = await client.explain(diabetesRequest({ permutation: {}, budget }));
  expect(answer).toMatchObject({ exact: false, converged: true, stop_reason: 'target_error' });
  expect(answer.usage.evaluations).toBeLessThan(50_000);
  const values = answer.outputs[0]?.values ?? [];
  const worst = Math.max(...(answer.outputs[0]?.standard_errors ?? [NaN]));
  expect(worst).toBeLessThan(0.05 * (Math.max(...values) - Math.min(...values)));
}, 30_000);

describe('an image in patches', () => {
  const request = (more: object) => ({
    model_name: 'digits_cnn',
    ...rowsOf(float32('image', [1, 1, 8, 8], digits.case.input.flat(2))),
    explained: [{ name: 'image', grid: { rows: 4, columns: 4 } }],
    baseline: { generator: { kind: 'ZERO' } },
    output: { name: 'logits', all: true },
    budget: { max_evaluations: 65_536 },
    ...more,
  });

  test('Shapley values of all logits, from all 65536 coalitions', async () => {
    const answer = await client.explain(request({ exact: {} }));
    expect(answer.usage.evaluations).toBe(65_536);
    expect(answer.features).toHaveLength(16);
    expect(answer.features.every(({ elements }) => elements === 4)).toBe(true);
    for (const { index, values, base_value: base } of answer.outputs) {
      expectClose(
        values,
        digits.case.shapley_patches.values.map((row) => row[index] as number),
        digits.tolerance,
      );
      expectClose([base], [digits.case.base_logits[index] as number], digits.tolerance);
    }
  }, 120_000);

  test('ablation, and occlusion by a window of one patch, take away what each patch alone is worth', async () => {
    const output = { name: 'logits', argmax: true };
    const ablation = await client.explain(request({ ablation: {}, output }));
    expectClose(ablation.outputs[0]?.values, digits.case.occlusion_patches, digits.tolerance);
    const occlusion = await client.explain(request({ occlusion: { window: [1, 1] }, output }));
    expectClose(occlusion.outputs[0]?.values, digits.case.occlusion_patches, digits.tolerance);
    const wide = await client.explain(request({ occlusion: { window: [2, 2] }, output }));
    expect(wide.usage.evaluations).toBe(2 + 9);
    expect(await client.failure('Explain', request({ occlusion: { window: [2] }, output }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: 'occlusion: window and stride have 2 sides, as the features do: [4,4]',
    });
  }, 30_000);

  test('Banzhaf values and interactions of the class that wins', async () => {
    const output = { name: 'logits', argmax: true };
    const banzhaf = await client.explain(request({ exact: { banzhaf: true }, output }));
    expect(banzhaf.outputs.map(({ index }) => index)).toEqual([digits.case.explained_class]);
    expectClose(banzhaf.outputs[0]?.values, digits.case.banzhaf_patches, digits.tolerance);
    const pairs = await client.explain(request({ interactions: { index: 'SII' }, output }));
    expectClose(pairs.outputs[0]?.interactions, digits.case.shapley_interaction_patches.flat(), digits.tolerance);
  }, 120_000);
});

test('rows of a batch are explained as each of them alone, and what they share is asked once', async () => {
  const rows = iris.cases.map(({ input }) => input);
  const single = await Promise.all(rows.map((input) => client.explain(irisRequest(input))));
  const request = { ...irisRequest([]), ...rowsOf(float32('input', [rows.length, 4], rows.flat())) };
  const { explanations } = await client.call<{ explanations: Explanation[] }>('ExplainBatch', request);
  expect(explanations.map(({ outputs }) => outputs)).toEqual(single.map(({ outputs }) => outputs));
  const asked = explanations.reduce((sum, { usage }) => sum + usage.rows, 0);
  expect(asked).toBe(single.reduce((sum, { usage }) => sum + usage.rows, 0) - 20 * (rows.length - 1));
}, 30_000);

test.each(['lime', 'ablation', 'permutation'])(
  '%s: a batch is explained as each row alone',
  async (method) => {
    const rows = iris.cases.map(({ input }) => input);
    const more = { [method]: {}, seed: 4, budget: { max_evaluations: 60 } };
    const single = await Promise.all(rows.map((input) => client.explain(irisRequest(input, more))));
    const request = { ...irisRequest([], more), ...rowsOf(float32('input', [rows.length, 4], rows.flat())) };
    const { explanations } = await client.call<{ explanations: Explanation[] }>('ExplainBatch', request);
    expect(explanations.map(({ outputs }) => outputs)).toEqual(single.map(({ outputs }) => outputs));
  },
  30_000,
);

test('what there is can be asked for', async () => {
  const { methods } = await client.call<{ methods: { name: string; needs: string; answers: string }[] }>(
    'ListMethods',
    {},
  );
  expect(methods.map(({ name, answers }) => [name, answers])).toEqual(
    expect.arrayContaining([
      ['exact', 'values'],
      ['rise', 'map'],
      ['anchors', 'anchor'],
      ['accumulated_effects', 'curves'],
    ]),
  );
  // All that a request can ask for.
  const proto = readFileSync(path.join(protoFolder, 'shoal/explain/v1/explain.proto'), 'utf8');
  const [, oneof = ''] = /oneof method \{([^}]*)\}/.exec(proto) ?? [];
  const names = [...oneof.matchAll(/^ *\w+ (\w+) = \d+;/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(20);
  expect(methods.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
}, 30_000);
