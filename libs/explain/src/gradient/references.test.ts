import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import references from '../fixtures/gradients.json';
import { drive } from '../testing/drive';
import { floats, oneHot, RunningModel, runOnce, type Values } from '../testing/run-model';
import { gradCam, resample } from './grad-cam';
import { integratedGradients } from './integrated-gradients';
import { embedding, lastConvolution } from './layers';
import { saliency } from './smooth-grad';
import { gradientName, gradientTwin, outputWeights } from './twin';

const read = (name: string): Uint8Array =>
  readFileSync(join(__dirname, '../../../../test/fixtures/models', name, '1/model.onnx'));

/** Largest absolute difference. */
const furthest = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  expect(got.length).toBe(want.length);
  return Math.max(...Array.from(got, (value, at) => Math.abs(value - (want[at] as number))));
};

describe('digits_cnn', () => {
  const { cases, output } = references.digits_cnn;
  const question = { name: 'image', shape: [1, 8, 8], outputs: 10 };

  test.each(cases)('$name: the gradient is that of float64 automatic differentiation', async (one) => {
    const twin = gradientTwin(read('digits_cnn'), { output });
    const input = Float64Array.from(one.input);
    const { values } = await drive(saliency(input, 'signed'), twin, { ...question, chosen: one.class });
    expect(furthest(values, one.gradient)).toBeLessThan(2e-5);
  });

  test.each(cases)('$name: integrated gradients', async (one) => {
    const twin = gradientTwin(read('digits_cnn'), { output });
    const options = { input: Float64Array.from(one.input), baselines: [Float64Array.from(one.baseline)], steps: 1000 };
    const answer = await drive(integratedGradients(options), twin, { ...question, chosen: one.class, max: 64 });
    expect(furthest(answer.values, one.integrated_gradients)).toBeLessThan(one.tolerance);
    expect(Math.abs(answer.additivityGap)).toBeLessThan(one.tolerance);
    expect(answer.evaluations).toBe(1002);
  });

  test('rows of a batch are answered as if alone, each for the output it chose', async () => {
    const twin = gradientTwin(read('digits_cnn'));
    const model = await RunningModel.load(twin.model);
    try {
      const inputs = cases.flatMap((one) => one.input);
      const weights = new Float32Array(10 * cases.length);
      for (const [row, one] of cases.entries()) weights[row * 10 + one.class] = 1;
      const shape = [cases.length, 10];
      const all = await model.run({
        image: floats([cases.length, 1, 8, 8], inputs),
        [outputWeights]: { dims: shape, data: weights },
      });
      for (const [row, one] of cases.entries()) {
        const alone = await model.run({ image: floats([1, 1, 8, 8], one.input), ...oneHot(1, 10, one.class) });
        const together = all[gradientName('image')]?.data.slice(row * 64, row * 64 + 64) as Float32Array;
        expect(furthest(together, alone[gradientName('image')]?.data as Float32Array)).toBeLessThan(1e-5);
      }
    } finally {
      await model.release();
    }
  });

  test('Grad-CAM finds the digit: the map of the last convolution covers more of it than of the rest', async () => {
    const file = read('digits_cnn');
    const layer = lastConvolution(file, output) as string;
    const twin = gradientTwin(file, { output, at: [layer] });
    expect(twin.gradients).toEqual([layer]);
    for (const one of cases) {
      const answer = await runOnce(twin.model, { image: floats([1, 1, 8, 8], one.input), ...oneHot(1, 10, one.class) });
      const maps = answer[layer] as Values;
      const [, channels, height, width] = maps.dims as [number, number, number, number];
      const activations = Float64Array.from(maps.data as Float32Array);
      const gradients = Float64Array.from(answer[gradientName(layer)]?.data as Float32Array);
      const map = resample(gradCam({ activations, gradients, channels, height, width }), [height, width], [8, 8]);
      const [ink, rest] = [true, false].map((dark) => {
        const places = one.input.flatMap((value, at) => (value > 0.3 === dark ? [map[at] as number] : []));
        return places.reduce((all, value) => all + value, 0) / places.length;
      }) as [number, number];
      expect(ink).toBeGreaterThan(rest);
    }
  });
});

test('iris_logreg: integrated gradients through ai.onnx.ml operators', async () => {
  const { cases, output, tolerance } = references.iris_logreg;
  const twin = gradientTwin(read('iris_logreg'), { output });
  for (const one of cases) {
    for (const chosen of [0, 1, 2]) {
      const options = { input: Float64Array.from(one.input), baselines: [Float64Array.from(one.baseline)] };
      const question = { name: 'input', shape: [4], outputs: 3, chosen };
      const answer = await drive(integratedGradients(options), twin, question);
      const want = one.integrated_gradients.map((row) => row[chosen] as number);
      expect(furthest(answer.values, want)).toBeLessThan(tolerance);
      expect(answer.baseValue).toBeCloseTo(one.baseline_output[chosen] as number, 5);
    }
  }
});

test('package_topic_tokens: integrated gradients over embeddings', async () => {
  const file = read('package_topic_tokens');
  const layer = embedding(file, 'input_ids') as string;
  expect(layer).toBe('e');
  const values = gradientTwin(file, { at: [layer] });
  const twin = gradientTwin(file, { feed: layer });
  const ids = (list: readonly number[]): Values => ({
    dims: [1, list.length],
    data: BigInt64Array.from(list, (id) => BigInt(id)),
  });
  for (const one of references.package_topic_tokens.cases) {
    const length = one.input_ids.length;
    const embed = async (list: readonly number[]): Promise<Float64Array> => {
      const attention_mask = ids(list.map(() => 1));
      const answer = await runOnce(values.model, { input_ids: ids(list), attention_mask, ...oneHot(1, 8, 0) });
      return Float64Array.from(answer[layer]?.data as Float32Array);
    };
    const input = await embed(one.input_ids);
    const baseline = await embed(one.input_ids.map((id, at) => (one.players.includes(at) ? 0 : id)));
    const width = input.length / length;
    const repeated = (rows: number, list: readonly number[]): Values => ({
      dims: [rows, length],
      data: BigInt64Array.from({ length: rows * length }, (_, at) => BigInt(list[at % length] as number)),
    });
    const ones = one.input_ids.map(() => 1);
    const answer = await drive(integratedGradients({ input, baselines: [baseline], steps: 100 }), twin, {
      name: layer,
      shape: [length, width],
      outputs: 8,
      chosen: one.class,
      others: (rows) => ({ input_ids: repeated(rows, one.input_ids), attention_mask: repeated(rows, ones) }),
    });
    const perToken = one.input_ids.map((_, token) =>
      answer.values.slice(token * width, token * width + width).reduce((all, value) => all + value, 0),
    );
    expect(furthest(perToken, one.per_token)).toBeLessThan(one.tolerance);
    expect(answer.baseValue).toBeCloseTo(one.baseline_output, 4);
    expect(Math.abs(answer.additivityGap)).toBeLessThan(one.tolerance);
  }
});

test('diabetes_mlp: complete over several baselines, and its gradient is that of central differences', async () => {
  const { background, inputs } = references.diabetes_mlp;
  const twin = gradientTwin(read('diabetes_mlp'));
  const question = { name: 'input', shape: [10], outputs: 1, chosen: 0, max: 64 };
  const baselines = background.map((row) => Float64Array.from(row));
  for (const one of inputs) {
    const input = Float64Array.from(one);
    const answer = await drive(integratedGradients({ input, baselines, steps: 300 }), twin, question);
    expect(Math.abs(answer.additivityGap)).toBeLessThan(2e-3);
    expect(answer.gaps.length).toBe(baselines.length);
    expect(answer.standardErrors?.every((error) => error > 0)).toBe(true);
    const { values } = await drive(saliency(input, 'signed'), twin, question);
    // The step is small against the distance between the kinks of its 16 units, large against float's rounding.
    const step = 2e-3;
    const rows = one.flatMap((_, at) => [step, -step].flatMap((by) => one.map((v, j) => (j === at ? v + by : v))));
    const answers = (await runOnce(read('diabetes_mlp'), { input: floats([20, 10], rows) }))['zscore']?.data;
    const numeric = one.map((_, at) => (Number(answers?.[2 * at]) - Number(answers?.[2 * at + 1])) / (2 * step));
    expect(furthest(values, numeric)).toBeLessThan(0.02 * Math.max(...values.map(Math.abs)));
  }
});
