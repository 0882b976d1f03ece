import type { Random } from '@shoal/core';

import { gradientName, gradientTwin, outputWeights } from '../gradient/twin';
import { elementType } from '../onnx/onnx-model';
import { buildModel, type ModelText } from './build-model';
import { RunningModel, type Values } from './run-model';

export interface GradientCase extends ModelText {
  readonly name: string;
  /** Shapes to run with; without: the inputs' own. Dimensions that are names are then 2. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Values are drawn from [low, high); without: [-2, 2). */
  readonly range?: readonly [number, number];
}

const sum = (values: Values, weights: Values): number => {
  let total = 0;
  for (let at = 0; at < values.data.length; at += 1) total += Number(values.data[at]) * Number(weights.data[at]);
  return total;
};

/**
 * The largest difference between a twin's gradients and central differences of the model, relative to the largest of
 * either plus one. Step 1e-4 in double, 1e-2 in float (whose rounding leaves about 1e-4 of noise).
 */
export async function gradientError(one: GradientCase, random: Random): Promise<number> {
  const double = one.type === elementType.double;
  // Evenly spaced values in a random order, so that a step does not exchange the larger of two.
  const draw = (dims: readonly number[], low: number, high: number): Values => {
    const length = dims.reduce((all, dim) => all * dim, 1);
    const offset = 0.25 + 0.5 * random.next();
    const list = Array.from({ length }, (_, at) => low + ((high - low) * (at + offset)) / length);
    for (let at = length - 1; at > 0; at -= 1) {
      const other = Math.floor(random.next() * (at + 1));
      [list[at], list[other]] = [list[other] as number, list[at] as number];
    }
    return { dims, data: double ? Float64Array.from(list) : Float32Array.from(list) };
  };
  const [low, high] = one.range ?? [-2, 2];
  const inputs: Record<string, Values> = {};
  for (const [name, dims] of Object.entries(one.inputs)) {
    const shape = one.shapes?.[name] ?? (dims ?? []).map((dim) => (typeof dim === 'number' ? dim : 2));
    inputs[name] = draw(shape, low, high);
  }
  const file = buildModel(one);
  const twin = gradientTwin(file, { inputs: Object.keys(one.inputs) });
  const model = await RunningModel.load(file);
  const twinModel = await RunningModel.load(twin.model);
  try {
    const plain = (await model.run(inputs))[twin.output] as Values;
    const batch = plain.dims[0] ?? 1;
    const weights = draw([batch, batch === 0 ? 0 : plain.data.length / batch], -1, 1);
    const answer = await twinModel.run({ ...inputs, [outputWeights]: weights });
    const repeated = answer[twin.output] as Values;
    let worst = 0;
    for (let at = 0; at < plain.data.length; at += 1)
      worst = Math.max(worst, Math.abs(Number(plain.data[at]) - Number(repeated.data[at])));
    const step = double ? 1e-4 : 1e-2;
    let largest = 1;
    for (const [name, values] of Object.entries(inputs)) {
      const gradient = answer[gradientName(name)] as Values;
      if (gradient.dims.join() !== values.dims.join())
        throw new Error(`gradient of shape ${gradient.dims.join()} for an input of shape ${values.dims.join()}`);
      for (let at = 0; at < values.data.length; at += 1) {
        const value = Number(values.data[at]);
        values.data[at] = value + step;
        const more = Number(values.data[at]);
        const above = sum((await model.run(inputs))[twin.output] as Values, weights);
        values.data[at] = value - step;
        const less = Number(values.data[at]);
        const below = sum((await model.run(inputs))[twin.output] as Values, weights);
        values.data[at] = value;
        const numeric = (above - below) / (more - less);
        const symbolic = Number(gradient.data[at]);
        largest = Math.max(largest, Math.abs(numeric));
        const error = Math.abs(numeric - symbolic);
        worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
      }
    }
    return worst / largest;
  } finally {
    await model.release();
    await twinModel.release();
  }
}
