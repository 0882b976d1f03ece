import { elementType, type OnnxGraph, type OnnxNode, type OnnxValue } from '../onnx/onnx-model';
import { treeLimits, unexplainedTrees } from './limits';
import { nodeText, type OutputTrace } from './trace-output';

/** What is done to one value of a feature on its way into the trees. */
export type Step = (value: number, feature: number) => number;

/** Follows the tensor that the trees look at back to the model's input. Throws UNIMPLEMENTED naming a node that mixes features. */
export function traceInput(graph: OnnxGraph, trace: OutputTrace, source: string): { input: OnnxValue; steps: Step[] } {
  const nodes: OnnxNode[] = [];
  let name = source;
  for (let node = trace.producer(name); node !== undefined; node = trace.producer(name)) {
    if (nodes.length >= treeLimits.operators)
      throw unexplainedTrees(`there are more than ${treeLimits.operators} operators before the trees`);
    nodes.unshift(node);
    name = node.inputs[0] ?? '';
  }
  const input = graph.inputs.find((one) => one.name === name);
  if (input === undefined || graph.initializers.has(name))
    throw unexplainedTrees(
      `the trees look at ${JSON.stringify(name.slice(0, 80))}, which is not an input of the model`,
    );
  const kinds: readonly number[] = [elementType.float, elementType.double, elementType.int32, elementType.int64];
  if (!kinds.includes(input.type))
    throw unexplainedTrees(`the trees look at an input that is not of float, double, int32 or int64 elements`);
  // Trees compare doubles as they are, everything else as float32.
  let double = input.type === elementType.double;
  const steps: Step[] = double ? [] : [Math.fround];
  for (const node of nodes) {
    const to = node.attributes.get('to')?.i;
    if (node.op === 'Identity') continue;
    if (node.op === 'Cast' && (to === elementType.float || to === elementType.double)) {
      double = to === elementType.double;
      if (!double) steps.push(Math.fround);
    } else if (node.op === 'Scaler') {
      steps.push(scaler(node));
      double = false;
    } else
      throw unexplainedTrees(
        `TreeSHAP cannot look through ${nodeText(node)}, which features go through before the trees`,
      );
  }
  return { input, steps };
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
