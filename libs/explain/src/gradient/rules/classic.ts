import { elementType } from '../../onnx/onnx-model';
import { divideByNorm } from './normalization';
import type { NodeGradient, Rule, Rules } from './rule';

const op = (at: NodeGradient, name: string, ...inputs: string[]): string => at.b.op(name, inputs);

const floats = (at: NodeGradient, name: string): readonly number[] => at.node.attributes.get(name)?.floats ?? [];

/** These operators answer in float whatever they are asked in. */
const give = (at: NodeGradient, gradient: string): void =>
  at.give(0, at.type === elementType.float ? gradient : at.b.op('Cast', [gradient], { to: at.type }));

/** y = (x − offset)·scale. */
const scaler: Rule = (at) => {
  const scale = floats(at, 'scale');
  if (scale.length === 0) at.refuse('it has no scale');
  give(at, at.b.mul(at.g(), at.b.constant(elementType.float, [scale.length], scale)));
};

const normalizer: Rule = (at) => {
  const norm = at.text('norm', 'MAX');
  if (norm === 'MAX') at.refuse('norm MAX');
  if (at.type !== elementType.float) at.refuse('its input is not float');
  divideByNorm(at, -1, norm === 'L1' ? 1 : 2);
};

/** Gradient at the scores before post_transform, from that behind it. */
function beforeTransform(at: NodeGradient, g: string, y: string): string {
  const { b } = at;
  const transform = at.text('post_transform', 'NONE');
  if (transform === 'NONE') return g;
  if (transform === 'LOGISTIC') {
    const one = b.scalar(elementType.float, 1);
    return b.mul(g, b.mul(y, op(at, 'Sub', one, y)));
  }
  if (transform !== 'SOFTMAX') at.refuse(`post_transform ${transform}`);
  const gy = b.mul(g, y);
  return op(at, 'Sub', gy, b.mul(y, b.sum(gy, [1], true)));
}

/** coefficients [outputs, features] times x, then a transform. */
function linear(at: NodeGradient, output: number, outputs: number, coefficients: readonly number[]): void {
  const features = coefficients.length / outputs;
  if (!Number.isInteger(features) || features === 0) at.refuse('its coefficients do not fit its outputs');
  const weights = at.b.constant(elementType.float, [outputs, features], coefficients);
  give(at, at.b.op('MatMul', [beforeTransform(at, at.g(output), at.y(output)), weights]));
}

const linearClassifier: Rule = (at) => {
  const ints = at.ints('classlabels_ints')?.length ?? 0;
  const classes = ints > 0 ? ints : (at.node.attributes.get('classlabels_strings')?.strings.length ?? 0);
  const intercepts = floats(at, 'intercepts').length;
  // With one row of coefficients for two classes, implementations differ in what they make of the other class.
  if (classes < 2 || (intercepts > 0 && intercepts !== classes))
    at.refuse('it has not one row of coefficients per class');
  linear(at, 1, classes, floats(at, 'coefficients'));
};

/** The operators of classic machine learning (ai.onnx.ml) that have a gradient. */
export const classicRules: Rules = {
  Scaler: scaler,
  Normalizer: normalizer,
  LinearClassifier: linearClassifier,
  LinearRegressor: (at) => linear(at, 0, at.int('targets', 1), floats(at, 'coefficients')),
};
