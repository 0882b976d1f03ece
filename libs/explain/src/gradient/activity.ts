import { elementType, type OnnxGraph, type OnnxNode } from '../onnx/onnx-model';
import { isFlat } from './rules/index';

/** Element types in which gradients are computed. */
export const isFloat = (type: number): boolean =>
  type === elementType.float || type === elementType.double || type === elementType.float16;

/** CastLike takes the type of its second input, none of its numbers. */
export const isTypeOnly = (node: OnnxNode, input: number): boolean => node.op === 'CastLike' && input > 0;

/** Names whose numbers a node reads, those within its sub-graphs included. */
export function* readsOf(node: OnnxNode): Generator<string> {
  for (const [index, name] of node.inputs.entries()) if (!isTypeOnly(node, index)) yield name;
  for (const attribute of node.attributes.values()) yield* attribute.captured;
}

/** Operators whose output is float whatever their input is. */
const alwaysFloat = new Set(['Scaler', 'Normalizer', 'LinearClassifier', 'LinearRegressor']);

/** Of operators that return indices, masks or labels, too: which output moves with the input. */
const movingOutput: Readonly<Record<string, number>> = { TopK: 0, MaxPool: 0, Dropout: 0, LinearClassifier: 1 };

/** Element type of a node's data outputs; 0 when it is not one that has gradients. */
function outputType(node: OnnxNode, inputType: number, typeOf: (name: string) => number | undefined): number {
  if (node.op === 'Cast') {
    const to = node.attributes.get('to')?.i ?? 0;
    return isFloat(to) ? to : 0;
  }
  if (node.op === 'CastLike') {
    const to = typeOf(node.inputs[1] ?? '') ?? inputType;
    return isFloat(to) ? to : 0;
  }
  return node.domain === 'ai.onnx.ml' && alwaysFloat.has(node.op) ? elementType.float : inputType;
}

/**
 * Tensors that move with the sources, with their element types, in the order of the graph. What passes only through
 * flat operators (comparisons, indices, casts to integers) does not.
 */
export function activeTensors(graph: OnnxGraph, sources: ReadonlyMap<string, number>): Map<string, number> {
  const active = new Map(sources);
  const declared = new Map(graph.inputs.map((input) => [input.name, input.type]));
  for (const [name, tensor] of graph.initializers) declared.set(name, tensor.type);
  const typeOf = (name: string): number | undefined => active.get(name) ?? declared.get(name);
  for (const node of graph.nodes) {
    let type: number | undefined;
    for (const name of readsOf(node)) type ??= active.get(name);
    if (type === undefined || isFlat(node)) continue;
    const made = outputType(node, type, typeOf);
    if (made === 0) continue;
    const only = Object.hasOwn(movingOutput, node.op) ? movingOutput[node.op] : undefined;
    for (const [index, output] of node.outputs.entries()) {
      if (output === '' || active.has(output) || (only !== undefined && index !== only)) continue;
      active.set(output, made);
    }
  }
  return active;
}

/** Tensors on a path from an active tensor to `output`, and the nodes that lie on such paths. */
export function pathTo(
  graph: OnnxGraph,
  active: ReadonlyMap<string, number>,
  output: string,
): { tensors: Set<string>; nodes: OnnxNode[] } {
  const tensors = new Set([output]);
  const nodes: OnnxNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (isFlat(node) || !node.outputs.some((name) => name !== '' && tensors.has(name) && active.has(name))) continue;
    const moving = Array.from(readsOf(node)).filter((name) => active.has(name));
    if (moving.length === 0) continue;
    nodes.push(node);
    for (const name of moving) tensors.add(name);
  }
  return { tensors, nodes: nodes.toReversed() };
}
