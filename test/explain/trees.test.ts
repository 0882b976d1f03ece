import { cpSync } from 'node:fs';
import path from 'node:path';
import { ExplainClient } from '../support/explain-client';
import { rowsOf } from '../support/explain-requests';
import { root } from '../support/paths';
import { TemporaryRepository } from '../support/repository';
import { type Shoal, startShoal } from '../support/shoal';
import { float32 } from '../support/tensors';

let repository: TemporaryRepository;
let shoal: Shoal;
let client: ExplainClient;

beforeAll(async () => {
  repository = new TemporaryRepository({ diabetes_gbr: {}, wine_lgbm: {}, breast_cancer_xgb: {} });
  cpSync(path.join(root, 'models/breast_cancer'), repository.path('breast_cancer'), { recursive: true });
  shoal = await startShoal({ repository });
  client = new ExplainClient(shoal.address);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
  repository.delete();
}, 40_000);

/** Numbers that are different enough, and the same each time. */
function numbers(count: number, scale: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(scale * Math.sin(1.7 * i + 0.3)));
}

function request(model: string, features: number, scale: number, more: object = {}, input = 'input') {
  return {
    model_name: model,
    ...rowsOf(float32(input, [1, features], numbers(features, scale))),
    baseline: { rows: rowsOf(float32(input, [8, features], numbers(9 * features, scale).slice(features))) },
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

test('the demo’s log-odds are two sides of one sum of trees; of its probabilities auto says why it asks the model', async () => {
  const own = (index: number, more: object) => {
    const output = { name: 'probabilities', indices: { index: [index] } };
    return client.explain(request('breast_cancer', 30, 50, { output, ...more }, 'measurements'));
  };
  const logit = { link: { function: 'LOGIT' } };
  const [first, second] = [await own(0, logit), await own(1, logit)];
  for (const answer of [first, second]) expect(answer).toMatchObject({ method: 'tree_shap', exact: true });
  const [no, yes] = [first?.outputs[0], second?.outputs[0]];
  expect(no?.output_value).toBeCloseTo(-(yes?.output_value ?? NaN), 6);
  expect(Math.max(...(yes?.values ?? []).map(Math.abs))).toBeGreaterThan(0.1);
  for (const [at, value] of (yes?.values ?? []).entries()) expect(no?.values[at]).toBeCloseTo(-value, 6);
  const asked = await own(1, { ...logit, ablation: {} });
  expect(yes?.output_value).toBeCloseTo(asked.outputs[0]?.output_value ?? NaN, 2);
  expect(first?.warnings).toContainEqual(expect.stringContaining('mean of the background'));
  const probabilities = await own(1, { budget: { max_evaluations: 200 } });
  expect(probabilities.method).toBe('kernel_shap');
  expect(probabilities.reason).toContain('before Sigmoid');
}, 30_000);

test('what cannot be read is refused with a reason', async () => {
  expect(
    await client.failure('Explain', request('diabetes_gbr', 10, 0.1, { tree_shap: { path_dependent: true } })),
  ).toMatchObject({
    code: 'FAILED_PRECONDITION',
    details: expect.stringContaining('path-dependent TreeSHAP is not possible') as string,
  });
}, 30_000);
