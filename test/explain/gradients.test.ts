import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ExplainClient } from '../support/explain-client';
import { diabetesRequest, rowsOf } from '../support/explain-requests';
import { root } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { float32 } from '../support/tensors';

interface Gradients {
  readonly digits_cnn: {
    readonly cases: readonly {
      readonly input: number[];
      readonly baseline: number[];
      readonly class: number;
      readonly integrated_gradients: number[];
      readonly gradient: number[];
    }[];
  };
}
const key = 'shoal_reader_1';
let folder: string;
let shoal: Shoal;
let client: ExplainClient;
const as = { metadata: { 'x-api-key': key } };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shoal-gradients-'));
  const keys = [{ id: 'k', sha256: createHash('sha256').update(key).digest('hex') }];
  const permissions = ['inference', 'statistics', 'model-repository'];
  const tenants = [{ name: 'reader', keys, models: ['digits_cnn', 'diabetes_mlp', 'wine_lgbm'], permissions }];
  writeFileSync(path.join(folder, 'auth'), JSON.stringify({ tenants }));
  const models = { digits_cnn: {}, diabetes_mlp: {}, wine_lgbm: {} };
  shoal = await startShoal({ models, args: ['--auth-file', path.join(folder, 'auth')] });
  client = new ExplainClient(shoal.address);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
  rmSync(folder, { recursive: true });
}, 40_000);

test('integrated gradients of a network with ten inputs are complete, whoever may use the model', async () => {
  const answer = await client.explain(diabetesRequest({ integrated_gradients: { steps: 64 } }), as);
  const [one] = answer.outputs;
  expect(answer.method).toBe('integrated_gradients');
  expect(one?.values).toHaveLength(10);
  expect(Math.abs((one?.output_value ?? 0) - (one?.base_value ?? 0))).toBeGreaterThan(0.1);
  expect(Math.abs(one?.additivity_gap ?? 1)).toBeLessThan(5e-3);
  expect(answer.usage.rows).toBe(1 + 1 + 20 * 65);
}, 60_000);

test('of an image, per pixel and per patch, as automatic differentiation says', async () => {
  const text = readFileSync(path.join(root, 'libs/explain/src/fixtures/gradients.json'), 'utf8');
  const [one] = (JSON.parse(text) as Gradients).digits_cnn.cases;
  if (!one) throw new Error('no case');
  const request = {
    model_name: 'digits_cnn',
    ...rowsOf(float32('image', [1, 1, 8, 8], one.input.flat(Infinity) as number[])),
    baseline: { rows: rowsOf(float32('image', [1, 1, 8, 8], one.baseline.flat(Infinity) as number[])) },
    output: { name: 'logits', indices: { index: [one.class] } },
  };
  const want = one.integrated_gradients.flat(Infinity) as number[];
  const pixels = await client.explain({ ...request, integrated_gradients: { steps: 300 } }, as);
  expect(Math.max(...want.map(Math.abs))).toBeGreaterThan(0.5);
  for (const [at, value] of want.entries()) {
    expect(Math.abs(value - (pixels.outputs[0]?.values[at] ?? NaN))).toBeLessThan(0.02);
  }
  const grid = [{ name: 'image', grid: { rows: 4, columns: 4 } }];
  const patches = await client.explain({ ...request, explained: grid, integrated_gradients: { steps: 300 } }, as);
  const sum = (values: readonly number[] = []) => values.reduce((all, value) => all + value, 0);
  expect(patches.outputs[0]?.values).toHaveLength(16);
  expect(sum(patches.outputs[0]?.values)).toBeCloseTo(sum(pixels.outputs[0]?.values), 9);
  const gradient = await client.explain({ ...request, saliency: {} }, as);
  for (const [at, value] of (one.gradient.flat(Infinity) as number[]).entries()) {
    expect(Math.abs(value - (gradient.outputs[0]?.values[at] ?? NaN))).toBeLessThan(1e-3);
  }
}, 60_000);

test.each(['smooth_grad', 'gradient_shap'])(
  '%s has errors of its own, and the same numbers for the same seed',
  async (method) => {
    const request = diabetesRequest({ [method]: { samples: 100, sigma: 0.01 }, seed: 5 });
    const [one, again, other] = await Promise.all([
      client.explain(request, as),
      client.explain(request, as),
      client.explain({ ...request, seed: 6 }, as),
    ]);
    expect(again?.outputs).toEqual(one?.outputs);
    expect(other?.outputs).not.toEqual(one?.outputs);
    expect(one?.outputs[0]?.standard_errors.every((error) => error > 0)).toBe(true);
  },
  60_000,
);

test('what has no gradient is refused by name', async () => {
  const wine = { model_name: 'wine_lgbm', ...rowsOf(float32('input', [1, 13], Array<number>(13).fill(1))) };
  const failure = await client.failure('Explain', { ...wine, output: { name: 'probabilities' }, saliency: {} }, as);
  expect(['UNIMPLEMENTED', 'INVALID_ARGUMENT']).toContain(failure.code);
  expect(failure.details).not.toBe('internal error');
}, 60_000);
