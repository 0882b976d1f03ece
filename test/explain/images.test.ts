import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  blurBaseline,
  fixedInput,
  gradCam,
  gradientName,
  gradientTwin,
  gridGroups,
  inpaintedInput,
  lastConvolution,
  outputWeights,
  resample,
  rise,
} from '@shoal/explain';
import { toNumbers } from '@shoal/tensor';
import { RunningModel } from '../../libs/explain/src/testing/run-model';
import { ExplainClient, type Explanation } from '../support/explain-client';
import { explainFixture, rowsOf } from '../support/explain-requests';
import { fixtures } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { float32, float32Output, inferRequest } from '../support/tensors';

interface Digits {
  readonly case: { readonly explained_class: number; readonly input: number[][][] };
}
const digits = explainFixture<Digits>('digits-cnn');
const pixels = digits.case.input.flat(2).map(Math.fround);
const best = digits.case.explained_class;
const image = { height: 8, width: 8, channels: 1, planes: true, values: Float64Array.from(pixels) };
let shoal: Shoal;
let narrow: Shoal;
let client: ExplainClient;
let narrowClient: ExplainClient;

beforeAll(async () => {
  const models = { digits_cnn: {}, diabetes_mlp: {} };
  [shoal, narrow] = await Promise.all([
    startShoal({ models }),
    startShoal({ models: { digits_cnn: {} }, args: ['--explain-outstanding-requests', '1'] }),
  ]);
  client = new ExplainClient(shoal.address);
  narrowClient = new ExplainClient(narrow.address);
}, 60_000);

afterAll(async () => {
  client.close();
  narrowClient.close();
  await Promise.all([shoal.stop(), narrow.stop()]);
}, 40_000);

interface Mapped extends Explanation {
  readonly outputs: readonly (Explanation['outputs'][number] & {
    readonly map: { height: number; width: number; values: number[]; standard_errors: number[] } | null;
  })[];
  readonly divisions: readonly { readonly input: string; readonly feature_of: number[] }[];
}

function request(more: object) {
  return {
    model_name: 'digits_cnn',
    ...rowsOf(float32('image', [1, 1, 8, 8], pixels)),
    baseline: { generator: { kind: 'ZERO' } },
    output: { name: 'logits', indices: { index: [best] } },
    ...more,
  };
}
const explain = (more: object) => client.call<Mapped>('Explain', request(more));
const grid = (rows: number, columns = rows) => [{ name: 'image', grid: { rows, columns } }];

/** The explained logit, asked beside the explanation. */
async function logits(rows: readonly ArrayLike<number>[]): Promise<number[]> {
  const values = rows.flatMap((row) => Array.from(row));
  const answer = await shoal.client.infer(
    inferRequest('digits_cnn', [float32('image', [rows.length, 1, 8, 8], values)]),
  );
  const all = float32Output(answer, 'logits');
  return rows.map((_, at) => all[at * 10 + best] as number);
}

describe('rise', () => {
  test('a map as from the masks themselves, its errors, and its means over patches', async () => {
    const answer = await explain({ rise: { masks: 200, cells: 4 }, seed: 5, explained: grid(4) });
    const map = answer.outputs[0]?.map;
    expect(map).toMatchObject({ height: 8, width: 8 });
    const own = rise({ image, baseline: new Float64Array(64), masks: 200, cells: 4, seed: 5 });
    while (!own.done) {
      const batch = own.next(20);
      if (!batch) break;
      const rows = Array.from({ length: batch.count }, (_, at) => batch.rows.subarray(at * 64, at * 64 + 64));
      own.tell(Float64Array.from(await logits(rows)));
    }
    const [want, errors] = [own.result()?.maps[0], own.result()?.standardErrors[0]];
    for (let at = 0; at < 64; at += 1) {
      expect(map?.values[at]).toBeCloseTo(want?.[at] ?? NaN, 3);
      expect(map?.standard_errors[at]).toBeCloseTo(errors?.[at] ?? NaN, 3);
    }
    const cells = gridGroups(8, 8, 4, 4);
    for (const [player, value] of (answer.outputs[0]?.values ?? []).entries()) {
      const inside = map?.values.filter((_, at) => cells[at] === player) ?? [];
      expect(value).toBeCloseTo(inside.reduce((sum, one) => sum + one, 0) / 4, 9);
    }
    expect(answer.usage).toMatchObject({ evaluations: 200, rows: 201 });
  }, 60_000);

  test('the same for the same seed, whatever is under way at a time', async () => {
    const one = await explain({ rise: { masks: 150 }, seed: 2 });
    const cut = await narrowClient.call<Mapped>('Explain', request({ rise: { masks: 150 }, seed: 2, row_batch: 7 }));
    expect(cut.outputs).toEqual(one.outputs);
    // Each pixel is a feature, and has an error.
    expect(one.outputs[0]?.standard_errors.every((error) => error > 0)).toBe(true);
    expect((await explain({ rise: { masks: 150 }, seed: 3 })).outputs).not.toEqual(one.outputs);
  }, 60_000);

  test('partial maps on the way', async () => {
    const answers = await narrowClient.stream(request({ rise: { masks: 1500 }, row_batch: 1 }));
    expect(answers.at(-1)?.partial).toBe(false);
    for (const { partial, outputs } of answers.slice(0, -1)) {
      expect(partial).toBe(true);
      expect(outputs[0]?.values).toHaveLength(64);
    }
  }, 60_000);
});

describe('grad_cam', () => {
  test('as the twin of the model’s file gives it: the last convolution, where it speaks for each class', async () => {
    const file = readFileSync(path.join(fixtures, 'models/digits_cnn/1/model.onnx'));
    const layer = lastConvolution(file, 'logits') as string;
    const twin = gradientTwin(file, { output: 'logits', at: [layer] });
    const model = await RunningModel.load(twin.model);
    const answer = await explain({ grad_cam: {}, output: { name: 'logits', indices: { index: [best, 1] } } });
    expect(answer).toMatchObject({ exact: true, warnings: [`grad_cam looks at layer '${layer}'`] });
    expect(answer.usage.rows).toBe(1 + 2);
    for (const { index, map, values } of answer.outputs) {
      const weights = new Float32Array(10);
      weights[index] = 1;
      const said = await model.run({
        image: { data: Float32Array.from(pixels), dims: [1, 1, 8, 8] },
        [outputWeights]: { data: weights, dims: [1, 10] },
      });
      const [, channels = 0, height = 0, width = 0] = said[layer]?.dims ?? [];
      const of = (name: string) => Float64Array.from((said[name]?.data ?? []) as Float32Array);
      const maps = { activations: of(layer), gradients: of(gradientName(layer)), channels, height, width };
      const want = resample(gradCam(maps), [height, width], [8, 8]);
      expect(Math.max(...want)).toBeGreaterThan(0);
      for (const [at, value] of want.entries()) expect(map?.values[at]).toBeCloseTo(value, 4);
      expect(values).toEqual(map?.values);
    }
    await model.release();
  }, 60_000);

  test('signed maps have what speaks against it, too; a layer that there is not is refused', async () => {
    const signed = await explain({ grad_cam: { signed: true } });
    expect(Math.min(...(signed.outputs[0]?.map?.values ?? []))).toBeLessThan(0);
    const failure = await client.failure('Explain', request({ grad_cam: { layer: 'nobody' } }));
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', details: "the model has no inner tensor 'nobody'" });
    const table = { model_name: 'diabetes_mlp', ...rowsOf(float32('input', [1, 10], Array(10).fill(0))), grad_cam: {} };
    expect(await client.failure('Explain', table)).toMatchObject({
      code: 'FAILED_PRECONDITION',
      details: expect.stringContaining('there is no convolution'),
    });
  }, 60_000);
});

describe('baselines of images', () => {
  const base = async (generator: object) => {
    const answer = await explain({ ablation: {}, explained: grid(4), baseline: { generator } });
    return answer.outputs[0] as Mapped['outputs'][number];
  };

  test('out of focus, and of each channel’s mean', async () => {
    const blurred = await base({ kind: 'BLUR', value: 2 });
    const [want, mean] = await logits([blurBaseline(image, 2), Array(64).fill(pixels.reduce((a, b) => a + b, 0) / 64)]);
    expect(blurred.base_value).toBeCloseTo(want as number, 4);
    expect((await base({ kind: 'CHANNEL_MEAN' })).base_value).toBeCloseTo(mean as number, 4);
    expect((await base({ kind: 'BLUR' })).base_value).not.toBeCloseTo(want as number, 4);
  }, 60_000);

  test('painted over from what surrounds it', async () => {
    const painted = await base({ kind: 'INPAINT' });
    const masker = inpaintedInput({ datatype: 'FP32', image, playerOf: gridGroups(8, 8, 4, 4) });
    const rows = Array.from({ length: 16 }, (_, absent) => {
      const bytes = new Uint8Array(256);
      masker.write(
        Uint8Array.from({ length: 16 }, (__, player) => (player === absent ? 0 : 1)),
        bytes,
        0,
      );
      return toNumbers('FP32', bytes);
    });
    for (const [at, without] of (await logits(rows)).entries()) {
      expect(painted.output_value - (painted.values[at] as number)).toBeCloseTo(without, 4);
    }
  }, 60_000);

  test.each([
    ['a blur of nothing', { baseline: { generator: { kind: 'BLUR', value: -1 } } }, 'a blur of -1 pixels'],
    [
      'pixels of no image',
      { explained: [{ name: 'image', image: { height_axis: 7, width_axis: 1 } }], rise: {} },
      'no such axes',
    ],
    [
      'more masks than the budget',
      { rise: { masks: 50 }, budget: { max_evaluations: 10 } },
      'more than the budget of 10',
    ],
    [
      'superpixels beyond the pixels',
      { explained: [{ name: 'image', superpixels: { segments: 65 } }] },
      '1 to 64 superpixels',
    ],
  ])('%s are refused', async (_, more, why) => {
    const failure = await client.failure('Explain', request(more));
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', details: expect.stringContaining(why) });
  });
});

test('superpixels are the features, and the answer says which pixels they are', async () => {
  const explained = [{ name: 'image', superpixels: { segments: 9 } }];
  const answer = await explain({ explained, ablation: {} });
  const [division] = answer.divisions;
  expect(division).toMatchObject({ input: 'image' });
  const featureOf = division?.feature_of ?? [];
  expect(featureOf).toHaveLength(64);
  expect(answer.features.map(({ elements }) => elements)).toEqual(
    answer.features.map((_, feature) => featureOf.filter((one) => one === feature).length),
  );
  const masker = fixedInput({
    ...{ datatype: 'FP32', playerOf: Int32Array.from(featureOf) },
    row: new Uint8Array(Float32Array.from(pixels).buffer),
    background: new Uint8Array(256),
  });
  const bytes = new Uint8Array(256);
  masker.write(
    Uint8Array.from(answer.features, (_, at) => (at === 0 ? 0 : 1)),
    bytes,
    0,
  );
  const [without] = await logits([toNumbers('FP32', bytes)]);
  const [one] = answer.outputs;
  expect((one?.output_value ?? NaN) - (one?.values[0] ?? NaN)).toBeCloseTo(without as number, 4);
  expect((await explain({ explained: grid(2), ablation: {} })).divisions).toEqual([]);
}, 60_000);
