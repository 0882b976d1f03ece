import type { NodeGradient, Rule, Rules } from './rule';

const op = (at: NodeGradient, name: string, ...inputs: string[]): string => at.b.op(name, inputs);

/**
 * y = x̂·scale + bias with x̂ = (x − mean)/σ over `axes`: with h = g·scale,
 * dx = (h − mean(h) − x̂·mean(h·x̂)) / σ.
 */
function standardized(at: NodeGradient, axes: readonly number[], scale: string): void {
  const { b } = at;
  const x = at.x();
  const centred = op(at, 'Sub', x, b.mean(x, axes));
  const variance = b.mean(b.mul(centred, centred), axes);
  const sigma = op(at, 'Sqrt', op(at, 'Add', variance, at.scalar(at.float('epsilon', 1e-5))));
  const normal = op(at, 'Div', centred, sigma);
  const h = b.mul(at.g(), scale);
  const along = b.mul(normal, b.mean(b.mul(h, normal), axes));
  at.give(0, op(at, 'Div', op(at, 'Sub', op(at, 'Sub', h, b.mean(h, axes)), along), sigma));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

const layerNormalization: Rule = (at) => {
  const axis = at.int('axis', -1);
  const rank = axis < 0 ? 0 : at.rank(at.x());
  if (axis < -64 || axis > rank) at.refuse(`axis ${axis} is not one of its input's`);
  standardized(at, axis < 0 ? range(axis, 0) : range(axis, rank), at.x(1));
};

const instanceNormalization: Rule = (at) => {
  const rank = at.rank(at.x());
  const scale = at.b.op('Unsqueeze', [at.x(1), at.b.ints(range(1, rank - 1))]);
  standardized(at, range(2, rank), scale);
};

/** With its statistics fixed it is linear: the same operator without mean and bias does it, whatever the rank. */
const batchNormalization: Rule = (at) => {
  if (at.int('training_mode', 0) !== 0) at.refuse('it is in training mode');
  const [scale, variance] = [at.x(1), at.x(4)];
  const zero = at.b.once('Sub', [scale, scale]);
  const epsilon = { float: at.float('epsilon', 1e-5) };
  at.give(0, at.b.op('BatchNormalization', [at.g(), scale, zero, zero, variance], { epsilon }));
};

/** y = x/‖x‖ along an axis. Of L2: (g − y·Σgy)/n; of L1: (g − sign(x)·Σgy)/n. */
export function divideByNorm(at: NodeGradient, axis: number, p: 1 | 2): void {
  const { b } = at;
  const [x, g] = [at.x(), at.g()];
  const sum = b.sum(b.mul(g, at.y()), [axis], true);
  const power = p === 1 ? b.sum(op(at, 'Abs', x), [axis], true) : b.sum(b.mul(x, x), [axis], true);
  const norm = p === 1 ? power : op(at, 'Sqrt', power);
  const direction = p === 1 ? op(at, 'Sign', x) : at.y();
  at.give(0, op(at, 'Div', op(at, 'Sub', g, b.mul(direction, sum)), norm));
}

const softmax: Rule = (at) => {
  const { b } = at;
  const gy = b.mul(at.g(), at.y());
  const sum = b.sum(gy, [at.int('axis', -1)], true);
  at.give(0, op(at, 'Sub', gy, b.mul(at.y(), sum)));
};

const logSoftmax: Rule = (at) => {
  const sum = at.b.sum(at.g(), [at.int('axis', -1)], true);
  at.give(0, op(at, 'Sub', at.g(), at.b.mul(op(at, 'Exp', at.y()), sum)));
};

export const normalizationRules: Rules = {
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  BatchNormalization: batchNormalization,
  LpNormalization: (at) => divideByNorm(at, at.int('axis', -1), at.int('p', 2) === 1 ? 1 : 2),
  Softmax: softmax,
  LogSoftmax: logSoftmax,
};
