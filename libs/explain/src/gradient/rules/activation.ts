import type { NodeGradient, Rule, Rules } from './rule';

const op = (at: NodeGradient, name: string, ...inputs: string[]): string => at.b.op(name, inputs);

/** g where `condition` holds, `otherwise` elsewhere. */
const where = (at: NodeGradient, condition: string, otherwise: string): string =>
  op(at, 'Where', condition, at.g(), otherwise);

const positive = (at: NodeGradient): string => op(at, 'Greater', at.x(), at.scalar(0));
const negative = (at: NodeGradient): string => op(at, 'Less', at.x(), at.scalar(0));

/** 0 < y < 1, times the slope: the linear part of a hard sigmoid. */
const hardSigmoid: Rule = (at) => {
  const above = op(at, 'Greater', at.y(), at.scalar(0));
  const inside = op(at, 'And', above, op(at, 'Less', at.y(), at.scalar(1)));
  const slope = at.b.mul(at.g(), at.scalar(at.float('alpha', 0.2)));
  at.give(0, op(at, 'Where', inside, slope, at.scalar(0)));
};

/** x·Φ(x): Φ(x) + x·φ(x). */
function geluExact(at: NodeGradient): string {
  const x = at.x();
  const half = at.scalar(0.5);
  const erf = op(at, 'Erf', at.b.mul(x, at.scalar(Math.SQRT1_2)));
  const phi = op(at, 'Add', half, at.b.mul(half, erf));
  const bell = op(at, 'Exp', at.b.mul(at.b.mul(x, x), at.scalar(-0.5)));
  return op(at, 'Add', phi, at.b.mul(at.b.mul(x, bell), at.scalar(1 / Math.sqrt(2 * Math.PI))));
}

/** ½x(1 + tanh(u)), u = √(2/π)(x + 0.044715x³). */
function geluTanh(at: NodeGradient): string {
  const x = at.x();
  const square = at.b.mul(x, x);
  const scale = at.scalar(Math.sqrt(2 / Math.PI));
  const one = at.scalar(1);
  const half = at.scalar(0.5);
  const inner = op(at, 'Add', one, at.b.mul(square, at.scalar(0.044715)));
  const t = op(at, 'Tanh', at.b.mul(scale, at.b.mul(x, inner)));
  const slope = at.b.mul(scale, op(at, 'Add', one, at.b.mul(square, at.scalar(3 * 0.044715))));
  const bend = at.b.mul(at.b.mul(x, half), at.b.mul(op(at, 'Sub', one, at.b.mul(t, t)), slope));
  return op(at, 'Add', at.b.mul(half, op(at, 'Add', one, t)), bend);
}

export const geluRule: Rule = (at) => {
  const tanh = at.text('approximate', 'none') === 'tanh';
  at.give(0, at.b.mul(at.g(), tanh ? geluTanh(at) : geluExact(at)));
};

/** Activation functions. At a corner the derivative is that of the flat side, as in the training frameworks. */
export const activationRules: Rules = {
  Relu: (at) => at.give(0, where(at, positive(at), at.scalar(0))),
  ThresholdedRelu: (at) => {
    const above = op(at, 'Greater', at.x(), at.scalar(at.float('alpha', 1)));
    at.give(0, where(at, above, at.scalar(0)));
  },
  LeakyRelu: (at) => {
    const slope = at.b.mul(at.g(), at.scalar(at.float('alpha', 0.01)));
    at.give(0, where(at, positive(at), slope));
  },
  PRelu: (at) => at.give(0, where(at, positive(at), at.b.mul(at.g(), at.x(1)))),
  Elu: (at) => {
    // alpha·eˣ = y + alpha
    const below = at.b.mul(at.g(), op(at, 'Add', at.y(), at.scalar(at.float('alpha', 1))));
    at.give(0, op(at, 'Where', negative(at), below, at.g()));
  },
  Celu: (at) => {
    const scaled = op(at, 'Div', at.y(), at.scalar(at.float('alpha', 1)));
    const below = at.b.mul(at.g(), op(at, 'Add', scaled, at.scalar(1)));
    at.give(0, op(at, 'Where', negative(at), below, at.g()));
  },
  Selu: (at) => {
    const alpha = at.float('alpha', 1.6732632423543772);
    const gamma = at.float('gamma', 1.0507009873554805);
    const below = at.b.mul(at.g(), op(at, 'Add', at.y(), at.scalar(alpha * gamma)));
    at.give(0, op(at, 'Where', positive(at), at.b.mul(at.g(), at.scalar(gamma)), below));
  },
  Sigmoid: (at) => at.give(0, at.b.mul(at.g(), at.b.mul(at.y(), op(at, 'Sub', at.scalar(1), at.y())))),
  Softplus: (at) => at.give(0, at.b.mul(at.g(), op(at, 'Sigmoid', at.x()))),
  Softsign: (at) => {
    const base = op(at, 'Add', at.scalar(1), op(at, 'Abs', at.x()));
    at.give(0, op(at, 'Div', at.g(), at.b.mul(base, base)));
  },
  HardSigmoid: hardSigmoid,
  HardSwish: (at) => {
    // x·h(x) with h = HardSigmoid(1/6, 1/2), whose derivative is 1/6 within (−3, 3).
    const h = at.b.op('HardSigmoid', [at.x()], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
    const inside = op(at, 'Less', op(at, 'Abs', at.x()), at.scalar(3));
    const bend = op(at, 'Where', inside, at.b.mul(at.x(), at.scalar(1 / 6)), at.scalar(0));
    at.give(0, at.b.mul(at.g(), op(at, 'Add', h, bend)));
  },
  Gelu: geluRule,
  Mish: (at) => {
    // x·t with t = tanh(softplus(x)): t + x·(1 − t²)·sigmoid(x)
    const t = op(at, 'Tanh', op(at, 'Softplus', at.x()));
    const bend = at.b.mul(op(at, 'Sub', at.scalar(1), at.b.mul(t, t)), op(at, 'Sigmoid', at.x()));
    at.give(0, at.b.mul(at.g(), op(at, 'Add', t, at.b.mul(at.x(), bend))));
  },
};
