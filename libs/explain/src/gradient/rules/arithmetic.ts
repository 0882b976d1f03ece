import type { NodeGradient, Rule, Rules } from './rule';

const op = (at: NodeGradient, name: string, ...inputs: string[]): string => at.b.op(name, inputs);

/** Gives `gradient`, which has the output's shape, to an input that was broadcast. */
function reduced(at: NodeGradient, input: number, gradient: () => string): void {
  if (at.wants(input)) at.give(input, at.b.reduceTo(gradient(), at.x(input), at.dims(at.y())));
}

/** Of several equal extremes each gets its share, so that the shares sum to one. */
const extreme: Rule = (at) => {
  const hits = at.node.inputs.map((name) => at.b.op('Cast', [op(at, 'Equal', name, at.y())], { to: at.type }));
  const share = hits.length === 1 ? at.g() : op(at, 'Div', at.g(), op(at, 'Sum', ...hits));
  for (const [input, hit] of hits.entries()) reduced(at, input, () => at.b.mul(share, hit));
};

const power: Rule = (at) => {
  const exponent = at.constants.numbers(at.x(1));
  reduced(at, 0, () => {
    if (exponent?.length === 1 && exponent[0] === 2) return at.b.mul(at.g(), at.b.mul(at.x(), at.scalar(2)));
    const p = at.b.op('Cast', [at.x(1)], { to: at.type });
    const lower = op(at, 'Pow', at.x(), op(at, 'Sub', p, at.scalar(1)));
    return at.b.mul(at.g(), at.b.mul(p, lower));
  });
  reduced(at, 1, () => at.b.mul(at.g(), at.b.mul(at.y(), op(at, 'Log', at.x()))));
};

const clip: Rule = (at) => {
  let inside: string | undefined;
  if (at.has(1)) inside = op(at, 'GreaterOrEqual', at.x(), at.x(1));
  if (at.has(2)) {
    const below = op(at, 'LessOrEqual', at.x(), at.x(2));
    inside = inside === undefined ? below : op(at, 'And', inside, below);
  }
  at.give(0, inside === undefined ? at.g() : op(at, 'Where', inside, at.g(), at.scalar(0)));
};

/** Operators of two or more tensors, broadcast to one shape. */
export const arithmeticRules: Rules = {
  Add: (at) => {
    reduced(at, 0, () => at.g());
    reduced(at, 1, () => at.g());
  },
  Sub: (at) => {
    reduced(at, 0, () => at.g());
    reduced(at, 1, () => op(at, 'Neg', at.g()));
  },
  Mul: (at) => {
    reduced(at, 0, () => at.b.mul(at.g(), at.x(1)));
    reduced(at, 1, () => at.b.mul(at.g(), at.x(0)));
  },
  Div: (at) => {
    reduced(at, 0, () => op(at, 'Div', at.g(), at.x(1)));
    reduced(at, 1, () => op(at, 'Neg', op(at, 'Div', at.b.mul(at.g(), at.y()), at.x(1))));
  },
  Pow: power,
  Sum: (at) => {
    for (const input of at.node.inputs.keys()) reduced(at, input, () => at.g());
  },
  Mean: (at) => {
    const share = at.b.mul(at.g(), at.scalar(1 / at.node.inputs.length));
    for (const input of at.node.inputs.keys()) reduced(at, input, () => share);
  },
  Max: extreme,
  Min: extreme,
  Where: (at) => {
    reduced(at, 1, () => op(at, 'Where', at.x(0), at.g(), at.scalar(0)));
    reduced(at, 2, () => op(at, 'Where', at.x(0), at.scalar(0), at.g()));
  },
  Clip: clip,
};
