import type { NodeGradient, Rules } from './rule';

/** A rule from the local derivative. */
const times =
  (derivative: (at: NodeGradient) => string) =>
  (at: NodeGradient): void =>
    at.give(0, at.b.mul(at.g(), derivative(at)));

const op = (at: NodeGradient, name: string, ...inputs: string[]): string => at.b.op(name, inputs);
const square = (at: NodeGradient, x: string): string => at.b.mul(x, x);

/** Functions of one number: y is used where the derivative is simpler in it. */
export const unaryRules: Rules = {
  Neg: (at) => at.give(0, op(at, 'Neg', at.g())),
  Abs: times((at) => op(at, 'Sign', at.x())),
  Exp: times((at) => at.y()),
  Log: (at) => at.give(0, op(at, 'Div', at.g(), at.x())),
  Sqrt: (at) => at.give(0, op(at, 'Div', at.b.mul(at.g(), at.scalar(0.5)), at.y())),
  Reciprocal: times((at) => op(at, 'Neg', square(at, at.y()))),
  Sin: times((at) => op(at, 'Cos', at.x())),
  Cos: times((at) => op(at, 'Neg', op(at, 'Sin', at.x()))),
  Tan: times((at) => op(at, 'Add', square(at, at.y()), at.scalar(1))),
  Atan: (at) => at.give(0, op(at, 'Div', at.g(), op(at, 'Add', square(at, at.x()), at.scalar(1)))),
  Sinh: times((at) => op(at, 'Cosh', at.x())),
  Cosh: times((at) => op(at, 'Sinh', at.x())),
  Tanh: times((at) => op(at, 'Sub', at.scalar(1), square(at, at.y()))),
  Erf: times((at) => at.b.mul(at.scalar(2 / Math.sqrt(Math.PI)), op(at, 'Exp', op(at, 'Neg', square(at, at.x()))))),
  Identity: (at) => at.give(0, at.g()),
  Cast: (at) => at.give(0, at.b.op('Cast', [at.g()], { to: at.type })),
  CastLike: (at) => at.give(0, at.b.op('Cast', [at.g()], { to: at.type })),
  Dropout: (at) => {
    const training = at.constants.numbers(at.node.inputs[2]);
    if (at.has(2) && training?.[0] !== 0) at.refuse('it is in training mode');
    at.give(0, at.g());
  },
};
