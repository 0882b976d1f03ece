import { elementType } from '../../onnx/onnx-model';
import { makeNode, makeTensor } from '../../onnx/write-onnx';
import type { NodeGradient, Rule, Rules } from './rule';

/** Adds the elements of `values` to zeros of the shape of `like`, at the flat positions `indices`. */
export function scatterFlat(at: NodeGradient, like: string, indices: string, values: string): string {
  const { b } = at;
  const flat = b.ints([-1]);
  const length = b.op('Reshape', [b.once('Size', [like]), b.ints([1])]);
  const zeros = b.op('ConstantOfShape', [length], { value: { tensor: makeTensor('', at.type, [1], [0]) } });
  const positions = b.op('Reshape', [indices, flat]);
  const sums = b.op('ScatterElements', [zeros, positions, b.op('Reshape', [values, flat])], {
    axis: 0,
    reduction: 'add',
  });
  return b.reshapeLike(sums, like);
}

/**
 * An operator that only picks elements of its input is run once more on the elements' own flat positions: where each
 * element of the output came from is where its gradient goes. Elements picked several times sum theirs up.
 */
const selection =
  (positionType: number): Rule =>
  (at) => {
    const { b, node } = at;
    const size = b.once('Size', [at.x()]);
    const int64 = elementType.int64;
    const range = b.op('Range', [b.scalar(int64, 0), size, b.scalar(int64, 1)]);
    let positions = b.op('Reshape', [range, b.shape(at.x())]);
    if (positionType !== int64) positions = b.op('Cast', [positions], { to: positionType });
    const picked = `${positions}.picked`;
    const inputs = [positions, ...node.inputs.slice(1)];
    const copy = makeNode(node.op, inputs, [picked], {}, picked);
    b.nodes.push({ ...copy, attributes: node.attributes });
    const indices = positionType === int64 ? picked : b.op('Cast', [picked], { to: int64 });
    at.give(0, scatterFlat(at, at.x(), indices, at.g()));
  };

const select = selection(elementType.int64);

const pad: Rule = (at) => {
  if (at.text('mode', 'constant') !== 'constant') {
    select(at);
    return;
  }
  const amounts = at.b.op('Neg', [at.x(1)]);
  const axes = at.has(3) ? ['', at.x(3)] : [];
  at.give(0, at.b.op('Pad', [at.g(), amounts, ...axes], { mode: 'constant' }));
};

const resize: Rule = (at) => {
  if (at.text('mode', 'nearest') !== 'nearest') at.refuse(`mode ${at.text('mode', 'nearest')}`);
  if (at.text('coordinate_transformation_mode', '').startsWith('tf_crop')) at.refuse('tf_crop_and_resize');
  // Positions as int32: an element type that runtimes resize.
  selection(elementType.int32)(at);
};

/** The values of the k largest go back along the axis, to where the second output says. */
const topK: Rule = (at) => {
  const zeros = at.b.zerosLike(at.x(), at.type);
  const axis = at.int('axis', -1);
  at.give(0, at.b.op('ScatterElements', [zeros, at.y(1), at.g()], { axis }));
};

/** Operators that pick, repeat or reorder elements. */
export const selectionRules: Rules = {
  Slice: select,
  Gather: select,
  GatherElements: select,
  GatherND: select,
  Tile: select,
  Pad: pad,
  Resize: resize,
  TopK: topK,
};
