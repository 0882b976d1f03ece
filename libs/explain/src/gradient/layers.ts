import type { OnnxGraph } from '../onnx/onnx-model';
import { readOnnx } from '../onnx/read-onnx';
import { activeTensors, isFloat, pathTo } from './activity';

/**
 * The output of the last convolution between the model's float inputs and an output (the first without a name): the
 * layer that GradCAM looks at unless told otherwise. undefined: there is none.
 */
export function lastConvolution(bytes: Uint8Array, output?: string): string | undefined {
  const { graph } = readOnnx(bytes);
  const inputs = graph.inputs.filter((input) => isFloat(input.type) && !graph.initializers.has(input.name));
  const active = activeTensors(graph, new Map(inputs.map((input) => [input.name, input.type])));
  const end = output ?? graph.outputs.find((value) => active.has(value.name))?.name;
  if (end === undefined) return undefined;
  return pathTo(graph, active, end).nodes.findLast((node) => node.op === 'Conv' && node.domain === '')?.outputs[0];
}

/** Operators that hand an index tensor on. */
const sameIndices = new Set(['Cast', 'Identity', 'Reshape', 'Unsqueeze', 'Squeeze']);

/**
 * The embedding of an integer input: the output of the first Gather from a float table by it. Token inputs have no
 * gradient; their embedding has. undefined: there is none.
 */
export function embedding(bytes: Uint8Array, input: string): string | undefined {
  const { graph } = readOnnx(bytes);
  const tables = floatConstants(graph);
  const indices = new Set([input]);
  for (const node of graph.nodes) {
    const [first = '', index = ''] = node.inputs;
    if (sameIndices.has(node.op) && indices.has(first)) indices.add(node.outputs[0] ?? '');
    const byRows = node.op === 'Gather' && (node.attributes.get('axis')?.i ?? 0) === 0;
    if (byRows && indices.has(index) && tables.has(first)) return node.outputs[0];
  }
  return undefined;
}

/** Float tensors that are stored, or computed of stored ones alone (tables kept in eight bits are, when they are unpacked). */
function floatConstants(graph: OnnxGraph): Set<string> {
  const types = new Map<string, number>();
  for (const [name, tensor] of graph.initializers) types.set(name, tensor.type);
  for (const node of graph.nodes) {
    const [first = '', scale = ''] = node.inputs;
    const constant = node.attributes.get('value')?.t;
    const given = node.inputs.every((name) => name === '' || types.has(name));
    if (!given || (node.inputs.length === 0 && constant === undefined)) continue;
    let type = constant?.type ?? types.get(first) ?? 0;
    if (node.op === 'Cast') type = node.attributes.get('to')?.i ?? 0;
    if (node.op === 'DequantizeLinear') type = types.get(scale) ?? 0;
    for (const output of node.outputs) types.set(output, type);
  }
  return new Set(Array.from(types).flatMap(([name, type]) => (isFloat(type) ? [name] : [])));
}
