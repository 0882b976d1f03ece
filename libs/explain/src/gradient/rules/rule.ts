import { ShoalError } from '@shoal/core';

import type { Constants } from '../../onnx/constants';
import type { OnnxNode } from '../../onnx/onnx-model';
import type { Dims } from '../../onnx/shapes';
import type { TwinBuilder } from '../twin-builder';

/** Emits the vector-Jacobian product of one node: from gradients at its outputs to gradients at its inputs. */
export type Rule = (at: NodeGradient) => void;
export type Rules = Readonly<Record<string, Rule>>;

/** What a rule sees of its node, and where it leaves its answer. */
export class NodeGradient {
  readonly node: OnnxNode;
  readonly b: TwinBuilder;
  readonly constants: Constants;
  /** Element type of the node's data. */
  readonly type: number;
  /** Gradients by input, those that were asked for. */
  readonly given = new Map<number, string>();
  private readonly gradients: readonly (string | undefined)[];
  private readonly wanted: ReadonlySet<number>;
  private readonly retyped: (node: OnnxNode) => void;

  constructor(options: {
    node: OnnxNode;
    builder: TwinBuilder;
    constants: Constants;
    type: number;
    gradients: readonly (string | undefined)[];
    wanted: ReadonlySet<number>;
    replace: (node: OnnxNode) => void;
  }) {
    this.node = options.node;
    this.b = options.builder;
    this.constants = options.constants;
    this.type = options.type;
    this.gradients = options.gradients;
    this.wanted = options.wanted;
    this.retyped = options.replace;
  }

  /** Whether a gradient at this input is asked for. */
  wants(input: number): boolean {
    return this.wanted.has(input);
  }

  give(input: number, gradient: string): void {
    if (this.wants(input)) this.given.set(input, gradient);
  }

  has(input: number): boolean {
    return (this.node.inputs[input] ?? '') !== '';
  }

  x(input = 0): string {
    const name = this.node.inputs[input] ?? '';
    if (name === '') this.refuse(`it lacks input ${input}`);
    return name;
  }

  y(output = 0): string {
    return this.node.outputs[output] ?? '';
  }

  /** Gradient at an output; refused where there is none. */
  g(output = 0): string {
    return this.gradients[output] ?? this.refuse(`only other outputs than its output ${output} are differentiated`);
  }

  gradientAt(output: number): string | undefined {
    return this.gradients[output];
  }

  dims(name: string): Dims | undefined {
    return this.b.shapes.of(name);
  }

  rank(name: string): number {
    return this.b.shapes.rank(name) ?? this.refuse(`the rank of '${name}' is not known before it runs`);
  }

  scalar(value: number): string {
    return this.b.scalar(this.type, value);
  }

  int(name: string, otherwise: number): number {
    return this.node.attributes.get(name)?.i ?? otherwise;
  }

  float(name: string, otherwise: number): number {
    return this.node.attributes.get(name)?.f ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    return this.node.attributes.get(name)?.s ?? otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    return this.node.attributes.get(name)?.ints;
  }

  /** Gives the node in the model another form, for instance one with more outputs. */
  replace(node: OnnxNode): void {
    this.retyped(node);
  }

  refuse(problem: string): never {
    throw new ShoalError('UNIMPLEMENTED', `${describe(this.node)} cannot be differentiated: ${problem}; ${remedy}`);
  }
}

export const remedy = 'use a method that needs predictions only, such as KernelSHAP, permutation sampling or occlusion';

/** A node for an error text: its operator and the name by which its author finds it. */
export function describe(node: OnnxNode): string {
  const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`;
  const name = node.name === '' ? `making '${node.outputs[0] ?? ''}'` : `'${node.name}'`;
  return `operator ${op} (node ${name})`;
}
