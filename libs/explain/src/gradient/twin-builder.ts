import { elementType, type OnnxNode } from '../onnx/onnx-model';
import type { Dims, Shapes } from '../onnx/shapes';
import { type AttributeValue, makeNode, makeTensor } from '../onnx/write-onnx';

/** Collects the nodes that a twin has beyond its model, all of standard operators of opset 17 or later. */
export class TwinBuilder {
  readonly nodes: OnnxNode[] = [];
  /** TensorProto messages. */
  readonly initializers: Uint8Array[] = [];
  readonly shapes: Shapes;
  private readonly opset: number;
  private readonly made = new Map<string, string>();
  private count = 0;

  constructor(opset: number, shapes: Shapes) {
    this.opset = opset;
    this.shapes = shapes;
  }

  private name(): string {
    this.count += 1;
    return `shoal.${this.count}`;
  }

  /** A node; the names of its outputs. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    outputs = 1,
  ): string[] {
    const names = Array.from({ length: outputs }, () => this.name());
    this.nodes.push(makeNode(op, inputs, names, attributes, names[0]));
    return names;
  }

  /** A node with one output; its name. */
  op(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    return this.node(op, inputs, attributes)[0] as string;
  }

  /** The same node once, however often it is asked for. */
  once(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    return this.memo(JSON.stringify([op, inputs, attributes]), () => this.op(op, inputs, attributes));
  }

  private memo(key: string, make: () => string): string {
    let name = this.made.get(key);
    if (name === undefined) {
      name = make();
      this.made.set(key, name);
    }
    return name;
  }

  constant(type: number, dims: readonly number[], values: readonly number[]): string {
    return this.memo(`${type}/${dims.join()}/${values.map((v) => (Object.is(v, -0) ? '-0' : v)).join()}`, () => {
      const name = this.name();
      this.initializers.push(makeTensor(name, type, dims, values));
      return name;
    });
  }

  scalar(type: number, value: number): string {
    return this.constant(type, [], [value]);
  }

  /** A list of int64: axes, sizes, shapes. */
  ints(values: readonly number[]): string {
    return this.constant(elementType.int64, [values.length], values);
  }

  shape(x: string): string {
    return this.once('Shape', [x]);
  }

  /** Shape of `x` from dimension `start` up to `end` (negative: from the end); without an end to the last. */
  shapePart(x: string, start: number, end?: number): string {
    return this.once('Shape', [x], end === undefined ? { start } : { start, end });
  }

  /** Number of elements of `x` as a number of its own type. */
  size(x: string, type: number): string {
    return this.once('Cast', [this.once('Size', [x])], { to: type });
  }

  zerosLike(x: string, type: number): string {
    const value = makeTensor('', type, [1], [0]);
    return this.memo(`zeros/${type}/${x}`, () =>
      this.op('ConstantOfShape', [this.shape(x)], { value: { tensor: value } }),
    );
  }

  mul(a: string, b: string): string {
    return this.op('Mul', [a, b]);
  }

  sum(x: string, axes: readonly number[] | string, keep: boolean): string {
    const list = typeof axes === 'string' ? axes : this.ints(axes);
    return this.op('ReduceSum', [x, list], { keepdims: keep ? 1 : 0, noop_with_empty_axes: 1 });
  }

  /** Mean over static axes, which stay with size 1; by the form that the model's opset has. */
  mean(x: string, axes: readonly number[]): string {
    return this.opset >= 18
      ? this.op('ReduceMean', [x, this.ints(axes)], { keepdims: 1 })
      : this.op('ReduceMean', [x], { axes, keepdims: 1 });
  }

  reshapeLike(g: string, x: string): string {
    return this.op('Reshape', [g, this.shape(x)]);
  }

  /**
   * The gradient of a broadcast: sums `g`, whose shape is `from` where that is known, over all axes along which `x` was
   * repeated. Nothing is done where the shapes are known to be the same; otherwise the axes are found at run time.
   */
  reduceTo(g: string, x: string, from: Dims | undefined): string {
    const to = this.shapes.of(x);
    const axes = from === undefined || to === undefined ? undefined : repeatedAxes(from, to);
    if (axes === undefined || to === undefined || from === undefined) return this.reduceAtRunTime(g, x);
    if (axes.length === 0) return g;
    const sum = this.sum(g, axes, true);
    return from.length === to.length ? sum : this.reshapeLike(sum, x);
  }

  private reduceAtRunTime(g: string, x: string): string {
    const from = this.op('Shape', [g]);
    const to = this.shape(x);
    const missing = this.op('Sub', [this.op('Shape', [from]), this.once('Shape', [to])]);
    const one = makeTensor('', elementType.int64, [1], [1]);
    const ones = this.op('ConstantOfShape', [missing], { value: { tensor: one } });
    const padded = this.op('Concat', [ones, to], { axis: 0 });
    const differs = this.op('NonZero', [this.op('Not', [this.op('Equal', [padded, from])])]);
    const sum = this.sum(g, this.op('Reshape', [differs, this.ints([-1])]), true);
    return this.op('Reshape', [sum, to]);
  }
}

/** Axes of `from` along which a tensor of shape `to` was repeated; undefined when that depends on the input. */
function repeatedAxes(from: Dims, to: Dims): number[] | undefined {
  const axes: number[] = [];
  for (let axis = 0; axis < from.length; axis += 1) {
    const at = axis - from.length + to.length;
    const target = at < 0 ? 1 : to[at];
    if (target === from[axis] && at >= 0) continue;
    if (target !== 1) return undefined;
    axes.push(axis);
  }
  return to.length > from.length ? undefined : axes;
}
