import type { OnnxGraph, OnnxTensor } from './onnx-model';
import { tensorNumbers } from './tensor-numbers';

/** What is known of tensors without running the model: initializers and the outputs of Constant nodes. */
export class Constants {
  private readonly tensors: Map<string, OnnxTensor>;
  private readonly lists = new Map<string, readonly number[]>();

  constructor(graph: OnnxGraph) {
    this.tensors = new Map(graph.initializers);
    for (const node of graph.nodes) {
      const output = node.outputs[0];
      if (node.op !== 'Constant' || node.domain !== '' || output === undefined) continue;
      for (const attribute of node.attributes.values()) {
        if (attribute.t !== undefined) this.tensors.set(output, attribute.t);
        else if (attribute.i !== undefined) this.lists.set(output, [attribute.i]);
        else if (attribute.f !== undefined) this.lists.set(output, [attribute.f]);
        else if (attribute.name === 'value_ints') this.lists.set(output, attribute.ints);
        else if (attribute.name === 'value_floats') this.lists.set(output, attribute.floats);
      }
    }
  }

  has(name: string): boolean {
    return this.tensors.has(name) || this.lists.has(name);
  }

  /** undefined: not constant, or given as an attribute's list. */
  tensor(name: string): OnnxTensor | undefined {
    return this.tensors.get(name);
  }

  /** Elements of a small constant; undefined when it is not one. */
  numbers(name: string | undefined): readonly number[] | undefined {
    if (name === undefined) return undefined;
    const list = this.lists.get(name);
    if (list !== undefined) return list;
    const tensor = this.tensors.get(name);
    return tensor === undefined ? undefined : tensorNumbers(tensor);
  }
}
