import type { NodeGradient, Rule, Rules } from './rule';
import { transposedConvolution, type Window, windowOf } from './window';

/** Spatial size of the weights, [out, in/group, …spatial] or [in, out/group, …spatial]. */
function kernelOf(at: NodeGradient): number[] | undefined {
  const dims = at.dims(at.x(1))?.slice(2);
  return dims?.every((dim) => typeof dim === 'number') ? dims : undefined;
}

/** Input's gradient of a convolution: the transposed one with the same weights. */
const conv: Rule = (at) => {
  const window: Window = windowOf(at, kernelOf(at));
  at.give(0, transposedConvolution(at, window, at.g(), at.x(1), at.x(0), at.int('group', 1)));
  // The bias is added as it is, once for each position.
  if (at.wants(2)) at.refuse('its bias depends on the explained input');
};

/** … and of a transposed one: the convolution with the same weights. */
const convTranspose: Rule = (at) => {
  const auto = at.text('auto_pad', 'NOTSET');
  if (auto.startsWith('SAME') || at.ints('output_shape') !== undefined)
    at.refuse('its padding is given by auto_pad or output_shape');
  const { kernel, strides, dilations, pads } = windowOf(at, kernelOf(at));
  const attributes = { kernel_shape: kernel, strides, dilations, pads: pads ?? [], group: at.int('group', 1) };
  at.give(0, at.b.op('Conv', [at.g(), at.x(1)], attributes));
};

export const convolutionRules: Rules = { Conv: conv, ConvTranspose: convTranspose };
