import type { NodeGradient, Rule, Rules } from './rule';

const op = (at: NodeGradient, name: string, ...inputs: string[]): string => at.b.op(name, inputs);

/** A reduction's output, or its gradient, with the reduced axes put back with size 1. */
function restored(at: NodeGradient, name: string): string {
  if (at.int('keepdims', 1) !== 0) return name;
  const axes = at.ints('axes');
  if (axes !== undefined && axes.length > 0) return at.b.op('Unsqueeze', [name, at.b.ints(axes)]);
  // Without axes all are reduced (or, if it says so, none): a scalar broadcasts as it is.
  if (!at.has(1)) return name;
  const given = at.constants.numbers(at.x(1));
  return given?.length === 0 ? name : at.b.op('Unsqueeze', [name, at.x(1)]);
}

const expanded = (at: NodeGradient, name: string): string => at.b.op('Expand', [name, at.b.shape(at.x())]);

/** dx = g·∂y/∂x, where both broadcast over the reduced axes. */
const local =
  (derivative: (at: NodeGradient, y: string) => string): Rule =>
  (at) =>
    at.give(0, at.b.mul(restored(at, at.g()), derivative(at, restored(at, at.y()))));

/** Of several equal extremes each gets the same share. */
const extreme: Rule = (at) => {
  const { b } = at;
  const y = restored(at, at.y());
  const hit = b.op('Cast', [op(at, 'Equal', at.x(), y)], { to: at.type });
  const count = b.reduceTo(hit, y, undefined);
  at.give(0, b.mul(hit, op(at, 'Div', restored(at, at.g()), count)));
};

export const reductionRules: Rules = {
  ReduceSum: (at) => at.give(0, expanded(at, restored(at, at.g()))),
  ReduceMean: (at) => {
    const ratio = op(at, 'Div', at.b.size(at.y(), at.type), at.b.size(at.x(), at.type));
    at.give(0, expanded(at, at.b.mul(restored(at, at.g()), ratio)));
  },
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceL1: local((at) => op(at, 'Sign', at.x())),
  ReduceL2: local((at, y) => op(at, 'Div', at.x(), y)),
  ReduceSumSquare: local((at) => at.b.mul(at.x(), at.scalar(2))),
  ReduceLogSum: (at) => {
    const share = at.b.mul(restored(at, at.g()), op(at, 'Exp', op(at, 'Neg', restored(at, at.y()))));
    at.give(0, expanded(at, share));
  },
  ReduceLogSumExp: local((at, y) => op(at, 'Exp', op(at, 'Sub', at.x(), y))),
};
