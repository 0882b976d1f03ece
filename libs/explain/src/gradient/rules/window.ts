import { elementType } from '../../onnx/onnx-model';
import type { AttributeValue } from '../../onnx/write-onnx';
import type { NodeGradient } from './rule';

/** How a window slides over the spatial dimensions: what convolutions and poolings have in common. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins, then ends; undefined: to be computed from the input's size (auto_pad). */
  readonly pads: readonly number[] | undefined;
  readonly lower: boolean;
}

/** Reads a node's window; `kernel` where the node does not say it itself. Refuses what is malformed. */
export function windowOf(at: NodeGradient, kernel?: readonly number[]): Window {
  const size = at.ints('kernel_shape') ?? kernel;
  if (size === undefined) return at.refuse('the size of its window is not known');
  const ones = size.map(() => 1);
  const strides = at.ints('strides') ?? ones;
  const dilations = at.ints('dilations') ?? ones;
  const auto = at.text('auto_pad', 'NOTSET');
  let pads: readonly number[] | undefined = at.ints('pads') ?? [...ones, ...ones].map(() => 0);
  if (auto === 'VALID') pads = [...ones, ...ones].map(() => 0);
  if (auto.startsWith('SAME')) pads = strides.every((stride) => stride === 1) ? same(size, dilations, auto) : undefined;
  if (strides.length !== size.length || dilations.length !== size.length || (pads && pads.length !== 2 * size.length))
    at.refuse('its kernel_shape, strides, dilations and pads do not fit one another');
  return { kernel: size, strides, dilations, pads, lower: auto === 'SAME_LOWER' };
}

/** With stride 1 the padding of SAME does not depend on the input's size. */
function same(kernel: readonly number[], dilations: readonly number[], auto: string): number[] {
  const total = kernel.map((size, axis) => (size - 1) * (dilations[axis] ?? 1));
  const less = total.map((all) => Math.floor(all / 2));
  const more = total.map((all) => Math.ceil(all / 2));
  return auto === 'SAME_LOWER' ? [...more, ...less] : [...less, ...more];
}

/**
 * The transposed convolution of `g` with `weights`, with exactly the spatial size of `x`: what the input's gradient of
 * a convolution is. Where strides leave rows of the input unused, the result is padded with zeros at run time.
 */
export function transposedConvolution(
  at: NodeGradient,
  window: Window,
  g: string,
  weights: string,
  x: string,
  group: number,
): string {
  const { b } = at;
  const { kernel, strides, dilations, pads } = window;
  const attributes: Record<string, AttributeValue> = { kernel_shape: kernel, strides, dilations, group };
  if (pads !== undefined && strides.every((stride) => stride === 1)) {
    const reach = kernel.map((size, axis) => (size - 1) * (dilations[axis] ?? 1));
    const rest = pads.map((pad, side) => (reach[side % kernel.length] ?? 0) - pad);
    if (group === 1 && at.constants.has(weights) && rest.every((pad) => pad >= 0))
      return b.op('Conv', [g, flipped(at, weights, kernel.length)], { ...attributes, pads: rest });
    return b.op('ConvTranspose', [g, weights], { ...attributes, pads });
  }
  const full = b.op('ConvTranspose', [g, weights], attributes);
  // Positions of the full result are those of the padded input: crop what was padding, add what no window reached.
  const size = b.shapePart(x, 2);
  const begins = pads === undefined ? autoBegins(at, window, g, size) : b.ints(pads.slice(0, kernel.length));
  const ends = b.op('Sub', [b.op('Add', [size, begins]), b.op('Shape', [full], { start: 2 })]);
  const none = b.ints([0, 0]);
  const amounts = b.op('Concat', [none, b.op('Neg', [begins]), none, ends], { axis: 0 });
  return b.op('Pad', [full, amounts], { mode: 'constant' });
}

/**
 * Stored weights with their spatial axes reversed and their channels exchanged: with them a plain convolution, which
 * runtimes run about twice as fast, does what the transposed one does. Runtimes compute this once, when they load.
 */
function flipped(at: NodeGradient, weights: string, axes: number): string {
  const { b } = at;
  const spatial = Array.from({ length: axes }, (_, axis) => axis + 2);
  const turned = b.once('Transpose', [weights], { perm: [1, 0, ...spatial] });
  const list = (value: number): string => b.ints(spatial.map(() => value));
  return b.once('Slice', [turned, list(-1), list(-(2 ** 62)), b.ints(spatial), list(-1)]);
}

/** auto_pad SAME: total = max((out − 1)·stride + reach − in, 0), half of it at the begin. */
function autoBegins(at: NodeGradient, window: Window, g: string, size: string): string {
  const { b } = at;
  const reach = window.kernel.map((k, axis) => (k - 1) * (window.dilations[axis] ?? 1) + 1);
  const steps = b.op('Sub', [b.op('Shape', [g], { start: 2 }), b.ints([1])]);
  const spanned = b.op('Add', [b.mul(steps, b.ints(window.strides)), b.ints(reach)]);
  const total = b.op('Max', [b.op('Sub', [spanned, size]), b.scalar(elementType.int64, 0)]);
  const rounded = window.lower ? b.op('Add', [total, b.ints([1])]) : total;
  return b.op('Div', [rounded, b.ints([2])]);
}
