import { ShoalError } from '@shoal/core';

import type { Constants } from '../onnx/constants';
import type { OnnxNode } from '../onnx/onnx-model';
import { isTypeOnly } from './activity';
import { ruleOf } from './rules/index';
import { describe, NodeGradient, remedy } from './rules/rule';
import type { TwinBuilder } from './twin-builder';

/**
 * Reverse-mode differentiation: goes through the nodes of all paths from the last to the first, asks each one's rule
 * for the gradients at its inputs and sums what meets at a tensor. Returns how to get the gradient at a tensor.
 */
export function backward(options: {
  nodes: readonly OnnxNode[];
  tensors: ReadonlySet<string>;
  active: ReadonlyMap<string, number>;
  constants: Constants;
  builder: TwinBuilder;
  /** Filled with the nodes that get another form in the twin. */
  replaced: Map<OnnxNode, OnnxNode>;
  output: string;
  /** Name of the gradient at the output. */
  seed: string;
}): (tensor: string) => string {
  const { builder, active, replaced } = options;
  const parts = new Map<string, string[]>([[options.output, [options.seed]]]);
  const gradientOf = (tensor: string): string | undefined => {
    const found = parts.get(tensor);
    if (found === undefined) return undefined;
    if (found.length > 1) found.splice(0, found.length, builder.op('Sum', [...found]));
    return found[0];
  };
  for (const node of options.nodes.toReversed()) {
    const gradients = node.outputs.map((name) => (name === '' ? undefined : gradientOf(name)));
    if (gradients.every((gradient) => gradient === undefined)) continue;
    const wanted = new Set<number>();
    for (const [index, name] of node.inputs.entries())
      if (active.has(name) && options.tensors.has(name) && !isTypeOnly(node, index)) wanted.add(index);
    const rule = ruleOf(node);
    if (rule === undefined || wanted.size === 0)
      throw new ShoalError('UNIMPLEMENTED', `${describe(node)} cannot be differentiated: it has no rule; ${remedy}`);
    const type = active.get(node.inputs[Math.min(...wanted)] ?? '') ?? 1;
    const replace = (other: OnnxNode): void => void replaced.set(node, other);
    const at = new NodeGradient({ node, builder, constants: options.constants, type, gradients, wanted, replace });
    rule(at);
    for (const index of wanted) {
      const gradient = at.given.get(index);
      if (gradient === undefined) return at.refuse(`its input ${index} depends on what is explained`);
      const name = node.inputs[index] as string;
      const list = parts.get(name);
      if (list === undefined) parts.set(name, [gradient]);
      else list.push(gradient);
    }
  }
  return (tensor) => {
    const gradient = gradientOf(tensor);
    if (gradient === undefined)
      throw new ShoalError('INVALID_ARGUMENT', `no gradient passes from '${tensor}' to output '${options.output}'`);
    return gradient;
  };
}
