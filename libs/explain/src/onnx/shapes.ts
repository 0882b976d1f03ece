import type { Constants } from './constants';
import type { Dimension, OnnxGraph, OnnxNode } from './onnx-model';

/** A dimension of which at least it is known whether it is the same as another: sizes, or names of unknown sizes. */
export type Dim = number | string;
export type Dims = readonly Dim[];

/** A rank above this is no tensor that anyone runs; hostile shapes end here. */
const highestRank = 64;

/**
 * Shapes of tensors as far as simple rules tell: enough to know ranks, and that two tensors have the same shape, so
 * that gradients need no work at run time. What is not known is left out; nothing here is needed for correctness.
 */
export class Shapes {
  private readonly known = new Map<string, Dims>();
  private fresh = 0;
  private readonly constants: Constants;

  constructor(graph: OnnxGraph, constants: Constants) {
    this.constants = constants;
    for (const value of [...graph.values, ...graph.outputs, ...graph.inputs])
      if (value.dims !== undefined) this.set(value.name, value.dims);
    for (const [name, tensor] of graph.initializers) this.set(name, tensor.dims);
    const declared = new Set(this.known.keys());
    for (const node of graph.nodes) {
      const found = this.infer(node);
      const output = node.outputs[0];
      if (found === undefined || output === undefined || output === '') continue;
      // What is annotated may lack the dimensions that only we see to be equal.
      if (!declared.has(output) || this.known.get(output)?.length === found.length) this.set(output, found);
    }
  }

  of(name: string): Dims | undefined {
    return this.known.get(name);
  }

  rank(name: string): number | undefined {
    return this.known.get(name)?.length;
  }

  private set(name: string, dims: readonly Dimension[]): void {
    if (dims.length <= highestRank)
      this.known.set(
        name,
        dims.map((dim) => dim ?? this.unknown()),
      );
  }

  private unknown(): string {
    this.fresh += 1;
    return `?${this.fresh}`;
  }

  private unknowns(rank: number): Dims | undefined {
    if (!(rank >= 0 && rank <= highestRank)) return undefined;
    return Array.from({ length: rank }, () => this.unknown());
  }

  private infer(node: OnnxNode): Dims | undefined {
    const [first] = node.inputs;
    if (node.op === 'Constant' && node.domain === '') {
      const output = node.outputs[0] ?? '';
      const tensor = this.constants.tensor(output);
      if (tensor !== undefined) return tensor.dims;
      const list = this.constants.numbers(output);
      if (list === undefined) return undefined;
      const scalar = node.attributes.has('value_int') || node.attributes.has('value_float');
      return scalar ? [] : [list.length];
    }
    if (first === undefined) return undefined;
    const x = this.known.get(first);
    const rule = inference[node.op];
    if (rule !== undefined) return rule(node, x, this.tools);
    if (broadcasts.has(node.op)) return this.broadcastAll(node.inputs);
    return sameShape.has(node.op) ? x : undefined;
  }

  private broadcastAll(names: readonly string[]): Dims | undefined {
    let all: Dims | undefined = [];
    for (const name of names) {
      const dims = this.known.get(name);
      if (dims === undefined || all === undefined) return undefined;
      all = broadcastDims(all, dims, () => this.unknown());
    }
    return all;
  }

  private readonly tools: Tools = {
    dims: (name) => (name === undefined ? undefined : this.known.get(name)),
    numbers: (name) => this.constants.numbers(name),
    unknown: () => this.unknown(),
    unknowns: (rank) => this.unknowns(rank),
  };
}

interface Tools {
  dims(name: string | undefined): Dims | undefined;
  numbers(name: string | undefined): readonly number[] | undefined;
  unknown(): string;
  unknowns(rank: number): Dims | undefined;
}

/** The shape that two shapes broadcast to; `unknown` names a dimension that may be either. */
export function broadcastDims(a: Dims, b: Dims, unknown: () => string): Dims {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const left = a[index - rank + a.length] ?? 1;
    const right = b[index - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    if (typeof left === 'number') return left;
    return typeof right === 'number' ? right : unknown();
  });
}

const sameShape = new Set(
  `Abs BatchNormalization Cast CastLike Ceil Celu Clip Cos CumSum Dropout Elu Erf Exp Floor Gelu HardSigmoid HardSwish
  Identity InstanceNormalization IsNaN LayerNormalization LeakyRelu Log LogSoftmax LpNormalization Mish Neg Normalizer
  Not PRelu Reciprocal Relu Round Scaler Selu Sigmoid Sign Sin Softmax Softplus Softsign Sqrt Tan Tanh
  ThresholdedRelu Trilu`.split(/\s+/),
);
const broadcasts = new Set(
  'Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or Pow Sub Sum Where'.split(' '),
);

const axisOf = (node: OnnxNode, rank: number, otherwise: number): number => {
  const axis = node.attributes.get('axis')?.i ?? otherwise;
  return axis < 0 ? axis + rank : axis;
};

type Inference = (node: OnnxNode, x: Dims | undefined, tools: Tools) => Dims | undefined;

const axesOf = (node: OnnxNode, tools: Tools): readonly number[] | undefined =>
  node.attributes.get('axes')?.ints ?? tools.numbers(node.inputs[1]);

const reduced: Inference = (node, x, tools) => {
  if (x === undefined) return undefined;
  const given = node.attributes.has('axes') || (node.inputs[1] ?? '') !== '';
  const axes = given ? axesOf(node, tools) : [];
  const keep = node.attributes.get('keepdims')?.i !== 0;
  if (axes === undefined) return keep ? tools.unknowns(x.length) : undefined;
  if (axes.length === 0 && node.attributes.get('noop_with_empty_axes')?.i === 1) return x;
  const gone = new Set(axes.length === 0 ? x.map((_, at) => at) : axes.map((a) => (a < 0 ? a + x.length : a)));
  if (keep) return x.map((dim, at) => (gone.has(at) ? 1 : dim));
  return x.filter((_, at) => !gone.has(at));
};

/** Batch and channels stay (or become those of the weights); the rest has another size. */
const spatial: Inference = (node, x, tools) => {
  if (x === undefined || x.length < 2) return undefined;
  const weights = node.op === 'Conv' ? tools.dims(node.inputs[1]) : undefined;
  const channels = node.op === 'ConvTranspose' ? tools.unknown() : (weights?.[0] ?? (x[1] as Dim));
  const rest = node.op.startsWith('Global') ? x.slice(2).map(() => 1) : x.slice(2).map(() => tools.unknown());
  return [x[0] as Dim, node.op === 'Conv' && weights === undefined ? tools.unknown() : channels, ...rest];
};

const inference: Readonly<Record<string, Inference>> = {
  Conv: spatial,
  ConvTranspose: spatial,
  MaxPool: spatial,
  AveragePool: spatial,
  GlobalAveragePool: spatial,
  GlobalMaxPool: spatial,
  Shape: (node, x, tools) => {
    const sliced = node.attributes.has('start') || node.attributes.has('end');
    return x === undefined || sliced ? [tools.unknown()] : [x.length];
  },
  Transpose: (node, x) => {
    const perm = node.attributes.get('perm')?.ints;
    if (x === undefined) return undefined;
    if (perm === undefined) return x.toReversed();
    const dims = perm.map((from) => x[from]);
    return dims.every((dim) => dim !== undefined) ? dims : undefined;
  },
  Flatten: (node, x, tools) => {
    if (x === undefined) return undefined;
    const axis = axisOf(node, x.length, 1);
    const product = (part: Dims): Dim => {
      if (part.length === 1) return part[0] as Dim;
      const size = part.reduce<number>((all, dim) => (typeof dim === 'number' ? all * dim : Number.NaN), 1);
      return Number.isNaN(size) ? tools.unknown() : size;
    };
    return [product(x.slice(0, axis)), product(x.slice(axis))];
  },
  Gemm: (node, x, tools) => {
    const b = tools.dims(node.inputs[1]);
    const rows = x?.[node.attributes.get('transA')?.i === 1 ? 1 : 0];
    const columns = b?.[node.attributes.get('transB')?.i === 1 ? 0 : 1];
    return [rows ?? tools.unknown(), columns ?? tools.unknown()];
  },
  MatMul: (node, x, tools) => {
    const b = tools.dims(node.inputs[1]);
    if (x === undefined || b === undefined || x.length < 2 || b.length < 2) return undefined;
    const batch = broadcastDims(x.slice(0, -2), b.slice(0, -2), () => tools.unknown());
    return [...batch, x.at(-2) as Dim, b.at(-1) as Dim];
  },
  Reshape: (node, x, tools) => {
    const target = tools.numbers(node.inputs[1]);
    if (target === undefined) {
      const length = tools.dims(node.inputs[1])?.[0];
      return typeof length === 'number' ? tools.unknowns(length) : undefined;
    }
    return target.map((size, at) => {
      if (size === 0 && node.attributes.get('allowzero')?.i !== 1) return x?.[at] ?? tools.unknown();
      return size < 0 ? tools.unknown() : size;
    });
  },
  Unsqueeze: (node, x, tools) => {
    const axes = axesOf(node, tools);
    if (x === undefined || axes === undefined || axes.length > highestRank) return undefined;
    const rank = x.length + axes.length;
    const ones = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
    let next = 0;
    const dims = Array.from({ length: rank }, (_, at) => (ones.has(at) ? 1 : x[next++]));
    return dims.every((dim) => dim !== undefined) ? dims : undefined;
  },
  Squeeze: (node, x, tools) => {
    const axes = axesOf(node, tools);
    if (x === undefined || axes === undefined) return undefined;
    const gone = new Set(axes.map((axis) => (axis < 0 ? axis + x.length : axis)));
    return x.filter((_, at) => !gone.has(at));
  },
  Concat: (node, x, tools) => {
    if (x === undefined) return undefined;
    const axis = axisOf(node, x.length, 0);
    const sizes = node.inputs.map((name) => tools.dims(name)?.[axis]);
    const total = sizes.reduce<number>((all, dim) => (typeof dim === 'number' ? all + dim : Number.NaN), 0);
    return x.map((dim, at) => (at === axis ? (Number.isNaN(total) ? tools.unknown() : total) : dim));
  },
  Gather: (node, x, tools) => {
    const indices = tools.dims(node.inputs[1]);
    if (x === undefined || indices === undefined) return undefined;
    const axis = axisOf(node, x.length, 0);
    return [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)];
  },
  Slice: (_node, x, tools) => (x === undefined ? undefined : tools.unknowns(x.length)),
  Pad: (_node, x, tools) => (x === undefined ? undefined : tools.unknowns(x.length)),
  Tile: (_node, x, tools) => (x === undefined ? undefined : tools.unknowns(x.length)),
  Expand: (node, x, tools) => {
    const length = tools.dims(node.inputs[1])?.[0];
    if (x === undefined || typeof length !== 'number') return undefined;
    return tools.unknowns(Math.max(length, x.length));
  },
  ReduceSum: reduced,
  ReduceMean: reduced,
  ReduceMax: reduced,
  ReduceMin: reduced,
  ReduceL1: reduced,
  ReduceL2: reduced,
  ReduceLogSum: reduced,
  ReduceLogSumExp: reduced,
  ReduceSumSquare: reduced,
  LinearClassifier: () => undefined,
};
