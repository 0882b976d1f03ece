import { readFileSync } from 'node:fs';
import path from 'node:path';
import { seededRandom } from '@shoal/core';
import { nearbyRow, relativeChange } from '@shoal/explain';
import { ExplainClient, type Measure } from '../support/explain-client';
import { diabetesRequest, rowsOf } from '../support/explain-requests';
import { root } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { float32, float32Output, inferRequest, int32, strings } from '../support/tensors';

interface Iris {
  readonly background: number[][];
  readonly cases: readonly { readonly input: number[] }[];
}
const iris = JSON.parse(readFileSync(path.join(root, 'libs/explain/src/fixtures/iris-logreg.json'), 'utf8')) as Iris;
const flower = (iris.cases[1]?.input ?? []).map(Math.fround);
let shoal: Shoal;
let client: ExplainClient;

beforeAll(async () => {
  const models = { iris_logreg: {}, diabetes_mlp: {}, digits_cnn: {}, package_topic: {}, simple: {} };
  shoal = await startShoal({ models });
  client = new ExplainClient(shoal.address);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
}, 40_000);

function irisRequest(more: object, row: readonly number[] = flower) {
  return {
    model_name: 'iris_logreg',
    ...rowsOf(float32('input', [1, 4], row)),
    baseline: { rows: rowsOf(float32('input', [iris.background.length, 4], iris.background.flat())) },
    output: { name: 'probabilities', all: true },
    seed: 6,
    ...more,
  };
}
const explain = (more: object, row?: readonly number[]) => client.explain(irisRequest(more, row));

/** v(S) of all coalitions and outputs, from predictions asked beside the explanation; a bit for each feature. */
async function game(): Promise<number[][]> {
  return Promise.all(
    Array.from({ length: 16 }, async (_, set) => {
      const rows = iris.background.map((row) =>
        row.map((value, f) => ((set >> f) % 2 === 1 ? (flower[f] ?? 0) : value)),
      );
      const said = await shoal.client.infer(inferRequest('iris_logreg', [float32('input', [20, 4], rows.flat())]));
      const all = float32Output(said, 'probabilities');
      return [0, 1, 2].map((k) => all.filter((_value, at) => at % 3 === k).reduce((sum, value) => sum + value, 0) / 20);
    }),
  );
}
const of = (quality: readonly Measure[], name: string) => quality.filter((one) => one.name === name);

test('infidelity is the mean square of what the values do not foretell; scaled it is no larger', async () => {
  const v = await game();
  const quality = { infidelity_samples: 4000 };
  const answer = await explain({ exact: {}, quality });
  const measures = of(answer.quality, 'infidelity');
  expect(measures.map(({ output, index }) => [output, index])).toEqual([0, 1, 2].map((k) => ['probabilities', k]));
  for (const [k, { value, standard_error: error }] of measures.entries()) {
    const squares = v.map((values, set) => {
      const gone = answer.outputs[k]?.values.reduce((sum, one, f) => sum + ((set >> f) % 2 === 1 ? 0 : one), 0) ?? NaN;
      return (gone - ((v[15]?.[k] ?? NaN) - (values[k] ?? NaN))) ** 2;
    });
    const want = squares.reduce((sum, one) => sum + one, 0) / 16;
    expect(want).toBeGreaterThan(1e-5);
    expect(Math.abs(value - want)).toBeLessThan(5 * error);
  }
  const scaled = await explain({ exact: {}, quality: { ...quality, infidelity_scaled: true } });
  for (const [k, { value, standard_error: error }] of of(scaled.quality, 'infidelity').entries()) {
    expect(value).toBeLessThanOrEqual((measures[k]?.value ?? 0) + 1e-12);
    expect(error).toBeNaN();
  }
}, 60_000);

test('deletion and insertion: the most important features go, or come, one after the other', async () => {
  const v = await game();
  const answer = await explain({ exact: {}, quality: { deletion: true, insertion: true } });
  for (const [k, { values }] of answer.outputs.entries()) {
    const order = [0, 1, 2, 3].toSorted((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
    const sets = [0, 1, 2, 3, 4].map((count) => order.slice(0, count).reduce((set, f) => set | (1 << f), 0));
    const curves = { insertion: sets.map((set) => v[set]?.[k]), deletion: sets.map((set) => v[15 - set]?.[k]) };
    for (const [name, want] of Object.entries(curves)) {
      const { at, curve, value } = of(answer.quality, name)[k] as Measure;
      expect(at).toEqual([0, 0.25, 0.5, 0.75, 1]);
      want.forEach((one, point) => expect(curve[point]).toBeCloseTo(one ?? NaN, 5));
      const area = want.reduce((sum: number, one) => sum + (one ?? NaN), 0) - ((want[0] ?? 0) + (want[4] ?? 0)) / 2;
      expect(value).toBeCloseTo(area / 4, 5);
    }
  }
}, 60_000);

test('sensitivity: the largest change of the values among rows nearby, each explained as the row was', async () => {
  const [samples, radius] = [4, 0.1];
  const quality = { sensitivity_samples: samples, sensitivity_radius: radius };
  for (const method of ['exact', 'kernel_shap', 'lime']) {
    const answer = await explain({ [method]: {}, quality });
    const random = seededRandom(6);
    const want = [0, 0, 0];
    for (let sample = 0; sample < samples; sample += 1) {
      const near = await explain({ [method]: {} }, [...nearbyRow(Float64Array.from(flower), radius, random)]);
      for (const [k, { index, values }] of near.outputs.entries()) {
        expect(index).toBe(k);
        const own = Float64Array.from(answer.outputs[k]?.values ?? []);
        want[k] = Math.max(want[k] ?? 0, relativeChange(Float64Array.from(values), own));
      }
    }
    expect(Math.max(...want)).toBeGreaterThan(0.001);
    const got = of(answer.quality, 'sensitivity');
    want.forEach((value, k) => expect(got[k]?.value).toBeCloseTo(value, 6));
  }
}, 60_000);

test('gradients and maps are measured, too', async () => {
  const image = Array.from({ length: 64 }, (_, at) => (at % 8 > 2 && at % 8 < 6 ? 1 : 0));
  const request = {
    model_name: 'digits_cnn',
    ...rowsOf(float32('image', [1, 1, 8, 8], image)),
    output: { name: 'logits' },
  };
  const quality = { infidelity_samples: 50, infidelity_scaled: true, sensitivity_samples: 2, deletion: true };
  for (const method of ['saliency', 'integrated_gradients', 'rise', 'grad_cam']) {
    const answer = await client.explain({ ...request, [method]: method === 'rise' ? { masks: 100 } : {}, quality });
    expect(answer.quality.map(({ name }) => name)).toEqual(['infidelity', 'deletion', 'sensitivity']);
    expect(answer.quality.every(({ value }) => Number.isFinite(value))).toBe(true);
    expect(answer.quality[1]?.at).toHaveLength(65);
  }
}, 60_000);

test('what there is no time for is left out, and the answer is there', async () => {
  const budget = { max_evaluations: 1_000_000 };
  const request = diabetesRequest({ ablation: {}, budget, quality: { infidelity_samples: 1_000_000, deletion: true } });
  const answer = await client.explain(request, { deadlineMs: 8_000 });
  // However far the values themselves came.
  expect(answer.outputs[0]?.values).toHaveLength(10);
  expect(answer.quality).toEqual([]);
  expect(answer.warnings.some((one) => one.startsWith('the deadline came before'))).toBe(true);
}, 60_000);

test.each([
  ['rules', { anchors: {}, quality: { deletion: true } }, 'anchors gives features no values'],
  [
    'more samples than the budget',
    { quality: { infidelity_samples: 101 }, budget: { max_evaluations: 100 } },
    'the budget of 100',
  ],
  ['many explanations', { quality: { sensitivity_samples: 101 } }, 'at most 100, each of which is a whole explanation'],
  ['a radius below 0', { quality: { sensitivity_samples: 1, sensitivity_radius: -1 } }, 'expected 0 or more'],
])('%s are refused', async (_, more, why) => {
  const failure = await client.failure('Explain', irisRequest(more));
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', details: expect.stringContaining(why) });
});

test('what cannot be moved a little has no sensitivity', async () => {
  const quality = { sensitivity_samples: 1 };
  const text = { model_name: 'package_topic', ...rowsOf(strings('text', [1, 1], ['a b'])), quality };
  const named = { ...text, output: { name: 'probabilities' } };
  expect((await client.failure('Explain', named)).details).toContain("input 'text' is of BYTES, which cannot be moved");
  const inputs = rowsOf(...['INPUT0', 'INPUT1'].map((name) => int32(name, [1, 16], Array<number>(16).fill(1))));
  const whole = { model_name: 'simple', ...inputs, output: { indices: { index: [0] } }, quality };
  expect((await client.failure('Explain', whole)).details).toContain("input 'INPUT0' is of INT32");
});
