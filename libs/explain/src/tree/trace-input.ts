import { elementType, type OnnxGraph, type OnnxNode, type OnnxValue } from '../onnx/onnx-model';
import { treeLimits, unexplainedTrees } from './limits';
import { nodeText, type OutputTrace } from './trace-output';

/** What is done to one value of a feature on its way into the trees. */
export type Step = (value: number, feature: number) => number;

/** An input of the model that the trees look at. */
export interface TreeInput {
  readonly name: string;
  /** Of one row; undefined: the model does not say. */
  readonly elements: number | undefined;
}

/** A tensor on the way from the model's inputs to the trees: [rows × elements] once it is there. */
interface Traced {
  /** Their elements follow each other. */
  readonly inputs: readonly TreeInput[];
  /** Of one row; undefined: the model does not say. */
  readonly elements: number | undefined;
  /** Trees compare doubles as they are, everything else as float32; whole numbers are neither scaled nor shifted. */
  readonly type: 'float' | 'double' | 'whole';
  readonly steps: readonly Step[];
}

/**
 * Follows the tensor that the trees look at back to the model's inputs. Throws UNIMPLEMENTED naming a node that mixes features, or
 * whose effect on each is not known.
 */
export function traceInput(
  graph: OnnxGraph,
  trace: OutputTrace,
  source: string,
): { inputs: readonly TreeInput[]; elements: number | undefined; steps: readonly Step[] } {
  let left: number = treeLimits.operators;
  const follow = (name: string): Traced => {
    const node = trace.producer(name);
    if (node === undefined) return fromInput(graph, name);
    left -= 1;
    if (left < 0) throw unexplainedTrees(`there are more than ${treeLimits.operators} operators before the trees`);
    if (node.op === 'Concat') return concat(node, node.inputs.map(follow));
    const { before, constant, reversed } = operands(node, trace);
    return through(node, follow(before), constant, reversed);
  };
  const { inputs, elements, steps } = follow(source);
  if (new Set(inputs.map(({ name }) => name)).size < inputs.length)
    throw unexplainedTrees('the trees look at an input of the model in more than one place');
  return { inputs, elements, steps };
}

function fromInput(graph: OnnxGraph, name: string): Traced {
  const input = graph.inputs.find((one) => one.name === name);
  if (input === undefined || graph.initializers.has(name))
    throw unexplainedTrees(
      `the trees look at ${JSON.stringify(name.slice(0, 80))}, which is not an input of the model`,
    );
  const kinds: readonly number[] = [elementType.float, elementType.double, elementType.int32, elementType.int64];
  if (!kinds.includes(input.type))
    throw unexplainedTrees(`the trees look at an input that is not of float, double, int32 or int64 elements`);
  const elements = elementsOf(input);
  const type = input.type === elementType.double ? 'double' : input.type === elementType.float ? 'float' : 'whole';
  return { inputs: [{ name, elements }], elements, type, steps: type === 'double' ? [] : [Math.fround] };
}

function elementsOf({ dims }: OnnxValue): number | undefined {
  let elements = 1;
  if (dims === undefined || dims.length < 2) return undefined;
  for (const dim of dims.slice(1)) {
    if (typeof dim !== 'number') return undefined;
    elements *= dim;
  }
  return elements;
}

/** Arithmetic has a tensor and a constant, in this order unless `reversed`. */
function operands(node: OnnxNode, trace: OutputTrace) {
  const [a = '', b = ''] = node.inputs;
  const right = node.inputs.length > 1 ? trace.numbers(b) : undefined;
  if (right !== undefined) return { before: a, constant: right, reversed: false };
  const left = node.inputs.length > 1 ? trace.numbers(a) : undefined;
  return left === undefined
    ? { before: a, constant: undefined, reversed: false }
    : { before: b, constant: left, reversed: true };
}

function through(node: OnnxNode, before: Traced, constant: readonly number[] | undefined, reversed: boolean): Traced {
  const refuse = () =>
    unexplainedTrees(`TreeSHAP cannot look through ${nodeText(node)}, which features go through before the trees`);
  const { elements, type, steps } = before;
  switch (node.op) {
    case 'Identity':
      return before;
    case 'Cast': {
      const to = node.attributes.get('to')?.i;
      if (to === elementType.double) return { ...before, type: 'double' };
      if (to === elementType.float) return { ...before, type: 'float', steps: [...steps, Math.fround] };
      throw refuse();
    }
    case 'Flatten':
      if ((node.attributes.get('axis')?.i ?? 1) === 1) return before;
      throw refuse();
    case 'Reshape':
      if (keepsRows(constant, elements) && (node.attributes.get('allowzero')?.i ?? 0) === 0) return before;
      throw refuse();
    case 'Scaler':
      return { ...before, type: 'float', steps: [...steps, scaler(node)] };
    default: {
      const own = arithmetic[node.op];
      if (own === undefined || constant === undefined || type === 'whole') throw refuse();
      if (constant.length !== 1 && constant.length !== elements) throw refuse();
      const round = type === 'double' ? (value: number) => value : Math.fround;
      const of = constant.map(round);
      const at = (feature: number) => (of.length === 1 ? of[0] : of[feature]) as number;
      const step: Step = reversed
        ? (value, feature) => round(own(at(feature), value))
        : (value, feature) => round(own(value, at(feature)));
      return { ...before, steps: [...steps, step] };
    }
  }
}

/** In float32, each result is that of exact arithmetic, rounded: so it is that of float64, rounded. */
const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

/** Whether a shape is [rows, all elements of one]. */
function keepsRows(shape: readonly number[] | undefined, elements: number | undefined): boolean {
  if (shape?.length !== 2) return false;
  const [rows, columns] = shape;
  if (rows === 0) return columns === -1 || columns === elements;
  return rows === -1 && columns === elements;
}

/** Inputs whose elements follow each other in one tensor. */
function concat(node: OnnxNode, parts: readonly Traced[]): Traced {
  const refuse = (why: string) => unexplainedTrees(`TreeSHAP cannot look through ${nodeText(node)}: ${why}`);
  const [first] = parts;
  const axis = node.attributes.get('axis')?.i;
  if (first === undefined || (axis !== 1 && axis !== -1)) throw refuse('it does not put features beside each other');
  if (parts.some(({ type }) => type !== first.type)) throw refuse('its inputs are of different types');
  const starts: number[] = [];
  let total = 0;
  for (const { elements } of parts) {
    if (elements === undefined) throw refuse('how many features there are in each of its inputs is not stated');
    starts.push(total);
    total += elements;
    if (total > treeLimits.features) throw refuse('there are too many features');
  }
  /** Which part a feature is in. */
  const partOf = new Int32Array(total);
  for (const [part, start] of starts.entries()) partOf.fill(part, start, starts[part + 1] ?? total);
  const step: Step = (value, feature) => {
    const part = partOf[feature] as number;
    const own = feature - (starts[part] as number);
    let result = value;
    for (const one of (parts[part] as Traced).steps) result = one(result, own);
    return result;
  };
  return { inputs: parts.flatMap(({ inputs }) => inputs), elements: total, type: first.type, steps: [step] };
}

/** (value − offset) · scale in float32, each one number or one per feature. */
function scaler(node: OnnxNode): Step {
  const offset = node.attributes.get('offset')?.floats ?? [];
  const scale = node.attributes.get('scale')?.floats ?? [];
  return (value, feature) => {
    const shifted = Math.fround(Math.fround(value) - ((offset.length === 1 ? offset[0] : offset[feature]) ?? 0));
    return Math.fround(shifted * ((scale.length === 1 ? scale[0] : scale[feature]) ?? 1));
  };
}
