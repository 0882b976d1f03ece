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

/**
 * The embedding of an integer input: the output of the first Gather from a float table [words, width] by it. Token
 * inputs have no gradient; their embedding has. undefined: there is none.
 */
export function embedding(bytes: Uint8Array, input: string): string | undefined {
  const { graph } = readOnnx(bytes);
  const indices = new Set([input]);
  for (const node of graph.nodes) {
    const [table, index] = node.inputs;
    const sameIndices =
      node.op === 'Cast' || node.op === 'Identity' || node.op === 'Reshape' || node.op === 'Unsqueeze';
    if (sameIndices && indices.has(table ?? '')) indices.add(node.outputs[0] ?? '');
    if (node.op !== 'Gather' || !indices.has(index ?? '') || (node.attributes.get('axis')?.i ?? 0) !== 0) continue;
    const tensor = graph.initializers.get(table ?? '');
    if (tensor?.dims.length === 2 && isFloat(tensor.type)) return node.outputs[0];
  }
  return undefined;
}
