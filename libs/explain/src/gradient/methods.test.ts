import { seededRandom } from '@shoal/core';

import { buildModel } from '../testing/build-model';
import { drive } from '../testing/drive';
import { floats, oneHot, runOnce } from '../testing/run-model';
import { gaussLegendre } from './gauss-legendre';
import { gradCam, resample } from './grad-cam';
import type { GradientEstimator } from './gradient-estimator';
import { gradientShap } from './gradient-shap';
import { integratedGradients } from './integrated-gradients';
import { lastConvolution } from './layers';
import { normal } from './normal';
import { saliency, smoothGrad } from './smooth-grad';
import { gradientName, gradientTwin } from './twin';

/** Answers an estimator from a function and its gradient, `max` rows at a time, `ahead` batches outstanding. */
function answer<R>(
  estimator: GradientEstimator<R>,
  f: (x: Float64Array) => number,
  gradient: (x: Float64Array) => readonly number[],
  max = 7,
  ahead = 1,
): R {
  const waiting: Float64Array[][] = [];
  for (;;) {
    const batch = waiting.length < ahead ? estimator.next(max) : undefined;
    if (batch !== undefined) {
      const { rows, features, count } = batch;
      if (count > max) throw new Error(`asked for ${max} rows, was given ${count}`);
      waiting.push(Array.from({ length: count }, (_, row) => rows.slice(row * features, (row + 1) * features)));
      continue;
    }
    const oldest = waiting.shift();
    if (oldest === undefined) break;
    const gradients = Float64Array.from(oldest.flatMap((row) => [...gradient(row)]));
    estimator.tell({ gradients, values: Float64Array.from(oldest, f) });
  }
  expect(estimator.done).toBe(true);
  return estimator.result() as R;
}

const sumOf = (x: Float64Array): number => x.reduce((all, value) => all + value, 0);
/** relu(s − 10) + 3·relu(s + 1) − 1 of s = Σx. */
const layers = (x: Float64Array): number => Math.max(0, sumOf(x) - 10) + 3 * Math.max(0, sumOf(x) + 1) - 1;
const layersGradient = (x: Float64Array): number[] => {
  const slope = (sumOf(x) > 10 ? 1 : 0) + (sumOf(x) > -1 ? 3 : 0);
  return Array.from(x, () => slope);
};

test('Gauss and Legendre: the two-point rule, exact powers, weights that sum to one, up to 1000 nodes', () => {
  const { nodes } = gaussLegendre(2);
  expect(nodes[0]).toBeCloseTo(0.5 - 0.5 / Math.sqrt(3), 15);
  for (const steps of [1, 2, 5, 50, 1000]) {
    const rule = gaussLegendre(steps);
    for (const power of [0, 1, 2 * Math.min(steps, 20) - 1]) {
      const integral = rule.nodes.reduce((all, node, at) => all + (rule.weights[at] as number) * node ** power, 0);
      expect(integral).toBeCloseTo(1 / (power + 1), 12);
    }
    expect(rule.nodes.every((node, at) => node > (at === 0 ? 0 : (rule.nodes[at - 1] as number)) && node < 1)).toBe(
      true,
    );
  }
});

describe('integrated gradients', () => {
  const input = Float64Array.of(20, 50, 30);

  test('two layers of relu: (78, 195, 117); the error of a kink falls with the steps, and the gap tells it', () => {
    for (const [steps, tolerance] of [
      [50, 1.2],
      [1000, 0.06],
    ] as const) {
      const estimator = integratedGradients({ input, baselines: [new Float64Array(3)], steps });
      const { values, additivityGap, baseValue, outputValue } = answer(estimator, layers, layersGradient);
      for (const [at, want] of [78, 195, 117].entries())
        expect(Math.abs((values[at] as number) - want)).toBeLessThan(tolerance);
      expect([baseValue, outputValue]).toEqual([2, 392]);
      expect(additivityGap).toBeCloseTo(390 - sumOf(values), 10);
    }
  });

  test('relu(relu(a) − 1 − relu(b)) at (3, 1): (1.5, −0.5), through a twin', async () => {
    const file = buildModel({
      inputs: { x: ['N', 2] },
      constants: { w: { dims: [2, 1], values: [1, -1] }, c: { dims: [], values: [1] } },
      nodes: [
        ['Relu', ['x'], ['r']],
        ['MatMul', ['r', 'w'], ['d']],
        ['Sub', ['d', 'c'], ['e']],
        ['Relu', ['e'], ['y']],
      ],
      outputs: ['y'],
    });
    const options = { input: Float64Array.of(3, 1), baselines: [new Float64Array(2)], steps: 1000 };
    const question = { name: 'x', shape: [2], outputs: 1, chosen: 0, max: 100 };
    const { values, additivityGap } = await drive(integratedGradients(options), gradientTwin(file), question);
    expect(Math.abs((values[0] as number) - 1.5)).toBeLessThan(5e-3);
    expect(Math.abs((values[1] as number) + 0.5)).toBeLessThan(5e-3);
    expect(Math.abs(additivityGap)).toBeLessThan(5e-3);
  });

  test('batches and how far ahead is asked change nothing; before the first baseline is finished there is no result', () => {
    const make = (): ReturnType<typeof integratedGradients> =>
      integratedGradients({ input, baselines: [new Float64Array(3), Float64Array.of(1, 2, 3)], steps: 20 });
    const one = answer(make(), layers, layersGradient, 1);
    expect(answer(make(), layers, layersGradient, 64, 5)).toEqual(one);
    expect(one.evaluations).toBe(43);
    expect(one.gaps.length).toBe(2);
    expect(make().result()).toBeUndefined();
  });

  test('several baselines: the mean of what each of them gives, with its error', () => {
    const baselines = [new Float64Array(3), Float64Array.of(1, 2, 3), Float64Array.of(-9, 4, 1)];
    const each = baselines.map((one) =>
      answer(integratedGradients({ input, baselines: [one] }), layers, layersGradient),
    );
    const all = answer(integratedGradients({ input, baselines }), layers, layersGradient);
    const first = each.map((one) => one.values[0] as number);
    const mean = first.reduce((sum, value) => sum + value, 0) / 3;
    expect(all.values[0]).toBeCloseTo(mean, 10);
    const variance = first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2;
    expect(all.standardErrors?.[0]).toBeCloseTo(Math.sqrt(variance / 3), 10);
    expect(all.baseValue).toBeCloseTo(each.reduce((sum, one) => sum + one.baseValue, 0) / 3, 10);
    expect(Array.from(all.gaps)).toEqual(each.map((one) => one.additivityGap));
  });

  test('refuses steps and baselines that are none', () => {
    const baselines = [new Float64Array(3)];
    expect(() => integratedGradients({ input, baselines, steps: 0 })).toThrow('steps is 0, it must be from 1 to 1000');
    expect(() => integratedGradients({ input, baselines: [] })).toThrow('need a baseline');
    expect(() => integratedGradients({ input, baselines: [new Float64Array(2)] })).toThrow('has 2 values');
  });
});

/** x0·x1 + x2², of gradient (x1, x0, 2·x2). */
const curved = (x: Float64Array): number => (x[0] as number) * (x[1] as number) + (x[2] as number) ** 2;
const curvedGradient = (x: Float64Array): number[] => [x[1] as number, x[0] as number, 2 * (x[2] as number)];

test('the noise is normal: mean 0, variance 1, 68.3 of 100 within 1', () => {
  const draw = normal(seededRandom(3));
  const values = Array.from({ length: 20_000 }, draw);
  // Five standard errors of each figure.
  expect(Math.abs(values.reduce((all, value) => all + value, 0) / 20_000)).toBeLessThan(0.036);
  expect(Math.abs(values.reduce((all, value) => all + value * value, 0) / 20_000 - 1)).toBeLessThan(0.05);
  expect(Math.abs(values.filter((value) => Math.abs(value) < 1).length / 20_000 - 0.6827)).toBeLessThan(0.017);
});

test('saliency: signed, absolute, squared, times the input', () => {
  const input = Float64Array.of(-1, 2, 3);
  const of = (form: Parameters<typeof saliency>[1]): number[] =>
    Array.from(answer(saliency(input, form), curved, curvedGradient).values);
  expect(of('signed')).toEqual([2, -1, 6]);
  expect(of('absolute')).toEqual([2, 1, 6]);
  expect(of('squared')).toEqual([4, 1, 36]);
  expect(of('times_input')).toEqual([-2, -2, 18]);
});

describe('SmoothGrad', () => {
  const input = Float64Array.of(-1, 2, 3);

  test('the mean gradient under noise, with an error that is honest', () => {
    let within = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const estimator = smoothGrad({ input, sigma: 0.5, samples: 100, random: seededRandom(seed) });
      const { values, standardErrors, outputValue } = answer(estimator, curved, curvedGradient);
      expect(outputValue).toBe(7);
      // The gradient is linear, so its mean is the gradient at the input: 2 ± 0.5/√100.
      for (const [at, want] of [2, -1, 6].entries())
        if (Math.abs((values[at] as number) - want) < 2 * (standardErrors?.[at] as number)) within += 1;
      expect(standardErrors?.[0]).toBeGreaterThan(0.03);
      expect(standardErrors?.[0]).toBeLessThan(0.07);
    }
    // Two standard errors hold 95 of 100: of 120 trials 114 are expected, fewer than 104 in one of a thousand runs.
    expect(within).toBeGreaterThan(103);
  });

  test('same seed, same answer whatever the batches; sigma by feature; nonsense refused', () => {
    const make = (sigma: number | Float64Array): ReturnType<typeof smoothGrad> =>
      smoothGrad({ input, sigma, samples: 20, random: seededRandom(5) });
    expect(answer(make(0.3), curved, curvedGradient, 3, 4)).toEqual(answer(make(0.3), curved, curvedGradient, 100));
    const still = answer(make(Float64Array.of(0, 0.4, 0)), curved, curvedGradient);
    expect(still.standardErrors?.[1]).toBe(0);
    expect(still.standardErrors?.[0]).toBeGreaterThan(0);
    expect(() => make(Number.NaN)).toThrow('sigma must be 0 or more');
    expect(() => make(Float64Array.of(1))).toThrow('for each of 3 features');
    expect(() => smoothGrad({ input, sigma: 1, samples: 0, random: seededRandom(1) })).toThrow('samples is 0');
  });
});

describe('GradientSHAP', () => {
  const input = Float64Array.of(1, 2, 3);
  const background = [Float64Array.of(0, 0, 0), Float64Array.of(2, 1, -1)];
  /** Expected gradients by hand: mean over baselines of ∫(x − b)·∇f. */
  const exact = [(1 * 1 + -1 * 1.5) / 2, (2 * 0.5 + 1 * 1.5) / 2, (9 + 4 * 2) / 2];

  test('converges to the mean of the paths, complete within its error', () => {
    let within = 0;
    for (let seed = 1; seed <= 30; seed += 1) {
      const estimator = gradientShap({ input, background, samples: 400, random: seededRandom(seed) });
      const { values, standardErrors, baseValue, outputValue, additivityGap } = answer(
        estimator,
        curved,
        curvedGradient,
        32,
        3,
      );
      expect([baseValue, outputValue]).toEqual([1.5, 11]);
      expect(additivityGap).toBeCloseTo(9.5 - sumOf(values), 10);
      for (const [at, want] of exact.entries())
        if (Math.abs((values[at] as number) - want) < 2 * (standardErrors[at] as number)) within += 1;
    }
    expect(within).toBeGreaterThan(80);
  });

  test('of a linear function it is exact', () => {
    const estimator = gradientShap({ input, background, samples: 10, random: seededRandom(2) });
    const { values, additivityGap } = answer(
      estimator,
      (x) => 2 * (x[0] as number),
      () => [2, 0, 0],
    );
    expect(values[0]).toBeCloseTo(0, 12);
    expect(additivityGap).toBeCloseTo(0, 12);
  });

  test('same seed, same answer whatever the batches', () => {
    const make = (): ReturnType<typeof gradientShap> =>
      gradientShap({ input, background, samples: 25, sigma: 0.1, random: seededRandom(9) });
    expect(answer(make(), curved, curvedGradient, 4, 6)).toEqual(answer(make(), curved, curvedGradient, 50));
    expect(() => gradientShap({ input, background: [], random: seededRandom(1) })).toThrow('a background of one row');
  });
});

describe('Grad-CAM', () => {
  const kernel = new Array<number>(18).fill(1);
  const file = buildModel({
    inputs: { x: ['N', 1, 4, 4] },
    constants: {
      w: { dims: [2, 1, 3, 3], values: kernel },
      b: { dims: [2], values: [-50, -75] },
      f: { dims: [4, 8], values: Array.from({ length: 32 }, (_, at) => (at % 8 < 5 ? 1 : -1)) },
    },
    nodes: [
      ['Conv', ['x', 'w', 'b'], ['conv1']],
      ['Relu', ['conv1'], ['relu1']],
      ['Flatten', ['relu1'], ['flat']],
      ['Gemm', ['flat', 'f'], ['fc1'], { transB: 1 }],
      ['Relu', ['fc1'], ['y']],
    ],
    outputs: ['y'],
  });

  test.each([
    ['conv1', [11.25, 13.5, 20.25, 22.5]],
    ['relu1', [0, 4, 28, 32.5]],
  ])('of one convolution, at %s', async (layer, want) => {
    const twin = gradientTwin(file, { at: [layer] });
    const x = floats([1, 1, 4, 4], new Array(16).keys());
    const run = await runOnce(twin.model, { x, ...oneHot(1, 4, 0) });
    const map = gradCam({
      activations: Float64Array.from(run[layer]?.data as Float32Array),
      gradients: Float64Array.from(run[gradientName(layer)]?.data as Float32Array),
      channels: 2,
      height: 2,
      width: 2,
    });
    expect(Array.from(map)).toEqual(want);
    expect(lastConvolution(file)).toBe('conv1');
  });

  test('keeps what speaks for the output, unless told otherwise', () => {
    const layer = {
      activations: Float64Array.of(1, -2),
      gradients: Float64Array.of(1, 3),
      channels: 1,
      height: 1,
      width: 2,
    };
    expect(Array.from(gradCam(layer))).toEqual([2, 0]);
    expect(Array.from(gradCam(layer, false))).toEqual([2, -4]);
  });

  test('resampling: the same size, between centres, edges repeated', () => {
    const map = Float64Array.of(0, 4, 8, 12);
    expect(Array.from(resample(map, [2, 2], [2, 2]))).toEqual([0, 4, 8, 12]);
    expect(Array.from(resample(map, [1, 4], [1, 8]))).toEqual([0, 1, 3, 5, 7, 9, 11, 12]);
    expect(Array.from(resample(map, [2, 2], [4, 1]))).toEqual([2, 4, 8, 10]);
  });
});
