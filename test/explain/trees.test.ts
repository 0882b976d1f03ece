import { ExplainClient } from '../support/explain-client';
import { rowsOf } from '../support/explain-requests';
import { type Shoal, startShoal } from '../support/shoal';
import { float32 } from '../support/tensors';

let shoal: Shoal;
let client: ExplainClient;

beforeAll(async () => {
  shoal = await startShoal({ models: { diabetes_gbr: {}, wine_lgbm: {}, breast_cancer_xgb: {} } });
  client = new ExplainClient(shoal.address);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
}, 40_000);

/** Numbers that are different enough, and the same each time. */
function numbers(count: number, scale: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(scale * Math.sin(1.7 * i + 0.3)));
}

function request(model: string, features: number, scale: number, more: object = {}) {
  return {
    model_name: model,
    ...rowsOf(float32('input', [1, features], numbers(features, scale))),
    baseline: { rows: rowsOf(float32('input', [8, features], numbers(9 * features, scale).slice(features))) },
    ...more,
  };
}

test('auto reads a regression off its trees: as all coalitions say, without a prediction', async () => {
  const read = await client.explain(request('diabetes_gbr', 10, 0.1));
  expect(read).toMatchObject({ method: 'tree_shap', exact: true, stop_reason: 'exact' });
  expect(read.reason).toContain('ensemble of trees');
  expect(read.usage).toMatchObject({ rows: 1, requests: 1 });
  const asked = await client.explain(request('diabetes_gbr', 10, 0.1, { exact: {} }));
  const [one, other] = [read.outputs[0], asked.outputs[0]];
  expect(Math.max(...(one?.values ?? []).map(Math.abs))).toBeGreaterThan(1);
  for (const [at, value] of (one?.values ?? []).entries()) expect(value).toBeCloseTo(other?.values[at] ?? NaN, 3);
  expect(one?.base_value).toBeCloseTo(other?.base_value ?? NaN, 3);
  expect(Math.abs(one?.additivity_gap ?? 1)).toBeLessThan(1e-6);
}, 30_000);

test('of a classifier auto explains what was asked for; tree_shap its raw score, and says so', async () => {
  const output = { name: 'probabilities', all: true };
  const auto = await client.explain(request('wine_lgbm', 13, 10, { output }));
  expect(auto.method).toBe('kernel_shap');
  expect(auto.reason).toContain('tree_shap is not taken: its trees add up to');
  const trees = await client.explain(request('wine_lgbm', 13, 10, { output, tree_shap: {} }));
  expect(trees.outputs.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(trees.warnings).toEqual([expect.stringContaining("the trees' summed score, before")]);
}, 30_000);

test('the logit of a boosted classifier is its trees’ own score', async () => {
  const output = { name: 'probabilities', indices: { index: [1] } };
  const logit = { output, link: { function: 'LOGIT' }, baseline: { generator: { kind: 'ZERO' } } };
  const trees = await client.explain(request('breast_cancer_xgb', 30, 50, logit));
  expect(trees.method).toBe('tree_shap');
  const sampled = await client.explain(request('breast_cancer_xgb', 30, 50, { ...logit, permutation: {}, seed: 1 }));
  const [one, other] = [trees.outputs[0], sampled.outputs[0]];
  expect(one?.output_value).toBeCloseTo(other?.output_value ?? NaN, 2);
  expect(one?.base_value).toBeCloseTo(other?.base_value ?? NaN, 2);
  for (const [at, value] of (one?.values ?? []).entries()) {
    expect(Math.abs(value - (other?.values[at] ?? NaN))).toBeLessThan(5 * (other?.standard_errors[at] ?? 0) + 0.01);
  }
}, 30_000);

test('what cannot be read is refused with a reason', async () => {
  expect(
    await client.failure('Explain', request('diabetes_gbr', 10, 0.1, { tree_shap: { path_dependent: true } })),
  ).toMatchObject({
    code: 'FAILED_PRECONDITION',
    details: expect.stringContaining('path-dependent TreeSHAP is not possible') as string,
  });
}, 30_000);
