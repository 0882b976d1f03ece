import { scatterFlat } from './selection';
import type { NodeGradient, Rule, Rules } from './rule';
import { transposedConvolution, windowOf } from './window';

/** The gradient goes to the element that MaxPool's second output names; the node is given that output if it lacks it. */
const maxPool: Rule = (at) => {
  if (at.int('storage_order', 0) !== 0) at.refuse('storage_order 1 (columns first)');
  let indices = at.y(1);
  if (indices === '') {
    indices = `shoal.indices.${at.y()}`;
    at.replace({ ...at.node, outputs: [at.y(), indices], raw: undefined });
  }
  at.give(0, scatterFlat(at, at.x(), indices, at.g()));
};

/** Each output is spread evenly over the elements it was the mean of. Channels are independent: they become batch. */
const averagePool: Rule = (at) => {
  const { b } = at;
  if (at.int('ceil_mode', 0) !== 0) at.refuse('ceil_mode 1');
  const window = windowOf(at);
  const flat = (name: string): string =>
    b.op('Reshape', [name, b.op('Concat', [b.ints([-1, 1]), b.shapePart(name, 2)], { axis: 0 })]);
  const volume = window.kernel.reduce((all, size) => all * size, 1);
  if (!(volume > 0 && volume <= 65536)) at.refuse('the size of its window');
  const ones = b.constant(at.type, [1, 1, ...window.kernel], new Array<number>(volume).fill(1));
  let share: string;
  if (at.int('count_include_pad', 0) === 1) share = b.op('Div', [flat(at.g()), at.scalar(volume)]);
  else {
    // How many elements of the input, not of its padding, each window covers: a convolution of ones.
    const one = b.op('Concat', [b.ints([1, 1]), b.shapePart(at.x(), 2)], { axis: 0 });
    const field = b.op('Expand', [at.scalar(1), one]);
    const auto = at.text('auto_pad', 'NOTSET');
    const padding = auto === 'NOTSET' && window.pads !== undefined ? { pads: window.pads } : { auto_pad: auto };
    const { kernel: kernel_shape, strides, dilations } = window;
    const counts = b.op('Conv', [field, ones], { kernel_shape, strides, dilations, ...padding });
    share = b.op('Div', [flat(at.g()), counts]);
  }
  at.give(0, b.reshapeLike(transposedConvolution(at, window, share, ones, at.x(), 1), at.x()));
};

/** Elements of the input per element of the output. */
const perOutput = (at: NodeGradient): string =>
  at.b.op('Div', [at.b.size(at.x(), at.type), at.b.size(at.y(), at.type)]);

const globalAveragePool: Rule = (at) => {
  const share = at.b.op('Div', [at.g(), perOutput(at)]);
  at.give(0, at.b.op('Expand', [share, at.b.shape(at.x())]));
};

/** Of several equal maxima each gets the same share. */
const globalMaxPool: Rule = (at) => {
  const { b } = at;
  const hit = b.op('Cast', [b.op('Equal', [at.x(), at.y()])], { to: at.type });
  const count = b.reduceTo(hit, at.y(), at.dims(at.x()));
  at.give(0, b.mul(hit, b.op('Div', [at.g(), count])));
};

export const poolingRules: Rules = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
};
