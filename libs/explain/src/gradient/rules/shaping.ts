import type { NodeGradient, Rule, Rules } from './rule';

/** The same elements in the same order. */
const reshape: Rule = (at) => at.give(0, at.b.reshapeLike(at.g(), at.x()));

const transpose: Rule = (at) => {
  const perm = at.ints('perm');
  if (perm === undefined) {
    at.give(0, at.b.op('Transpose', [at.g()]));
    return;
  }
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  at.give(0, at.b.op('Transpose', [at.g()], { perm: inverse }));
};

/** Size of a tensor along an axis, as a list of one. */
const sizeAlong = (at: NodeGradient, name: string, axis: number): string =>
  axis === -1 ? at.b.shapePart(name, -1) : at.b.shapePart(name, axis, axis + 1);

const concat: Rule = (at) => {
  const axis = at.int('axis', 0);
  const names = at.node.inputs;
  if (names.length === 1) {
    at.give(0, at.g());
    return;
  }
  const sizes = names.map((name) => sizeAlong(at, name, axis));
  const parts = at.b.node('Split', [at.g(), at.b.op('Concat', sizes, { axis: 0 })], { axis }, names.length);
  for (const [input, part] of parts.entries()) at.give(input, part);
};

const split: Rule = (at) => {
  const parts = at.node.outputs.map((name, output) => at.gradientAt(output) ?? at.b.zerosLike(name, at.type));
  at.give(0, at.b.op('Concat', parts, { axis: at.int('axis', 0) }));
};

/** Depth to space and back, of the modes that are each other's inverse. */
const inverse =
  (name: string): Rule =>
  (at) => {
    if (at.text('mode', 'DCR') !== 'DCR') at.refuse('mode CRD');
    at.give(0, at.b.op(name, [at.g()], { blocksize: at.int('blocksize', 1) }));
  };

const cumSum: Rule = (at) => {
  const reverse = 1 - at.int('reverse', 0);
  at.give(0, at.b.op('CumSum', [at.g(), at.x(1)], { exclusive: at.int('exclusive', 0), reverse }));
};

const trilu: Rule = (at) => {
  const inputs = at.has(1) ? [at.g(), at.x(1)] : [at.g()];
  at.give(0, at.b.op('Trilu', inputs, { upper: at.int('upper', 1) }));
};

/** Operators that change the shape, not the numbers; and the sums along an axis that are linear in the same way. */
export const shapingRules: Rules = {
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Expand: (at) => at.give(0, at.b.reduceTo(at.g(), at.x(), at.dims(at.y()))),
  DepthToSpace: inverse('SpaceToDepth'),
  SpaceToDepth: inverse('DepthToSpace'),
  CumSum: cumSum,
  Trilu: trilu,
};
