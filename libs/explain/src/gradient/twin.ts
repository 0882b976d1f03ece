import { ShoalError } from '@shoal/core';

import { Constants } from '../onnx/constants';
import type { Dimension, OnnxGraph, OnnxModel, OnnxNode, OnnxValue } from '../onnx/onnx-model';
import { protoFields } from '../onnx/proto-fields';
import { ProtoWriter } from '../onnx/proto-writer';
import { readOnnx } from '../onnx/read-onnx';
import { Shapes } from '../onnx/shapes';
import { upgrade } from '../onnx/upgrade';
import { makeNode, makeValue, writeOnnx } from '../onnx/write-onnx';
import { activeTensors, isFloat, pathTo } from './activity';
import { backward } from './backward';
import { TwinBuilder } from './twin-builder';

/** The twin's input that weighs the explained output: [batch, outputs], one row for each row of the model's. */
export const outputWeights = 'shoal.output_weights';

/** The name under which a twin returns the gradient at a tensor. */
export const gradientName = (tensor: string): string => `shoal.gradient.${tensor}`;

export interface TwinOptions {
  /** Float inputs to differentiate by; without: all from which a gradient reaches the output, none when `at` is given. */
  readonly inputs?: readonly string[];
  /** The output that is explained; without: the first that has a gradient. */
  readonly output?: string;
  /** Tensors within the model whose values and gradients are returned, too; `lastConvolution`, `embedding` find some. */
  readonly at?: readonly string[];
  /** A float tensor within the model that the twin takes as an input instead of computing it, differentiated as well. */
  readonly feed?: string;
}

export interface GradientTwin {
  /** An ONNX file: the model's inputs and outputs, and those below. */
  readonly model: Uint8Array;
  /** Name of the output that is explained. */
  readonly output: string;
  /** Element type (ONNX's number) of `shoal.output_weights`: that of the explained output. */
  readonly weightsType: number;
  /** Tensors whose gradients are returned as `shoal.gradient.<name>`: inputs, what is fed, then those of `at`. */
  readonly gradients: readonly string[];
}

/**
 * The gradient twin of an ONNX model: a model of standard operators that returns what the model returns and the
 * gradient of `Σ shoal.output_weights · output`, by chosen inputs. With one-hot weights that is the gradient of one
 * output; rows do not mix where the model's do not. Older models are brought to opset 17 on the way.
 *
 * Throws ShoalError: INVALID_ARGUMENT for bytes that are not a model and for names that it does not have or that no
 * gradient reaches; UNIMPLEMENTED, naming operator and node, when an operator on the way has no rule.
 */
export function gradientTwin(bytes: Uint8Array, options: TwinOptions = {}): GradientTwin {
  const model = prepare(bytes, options.feed);
  const { graph } = model;
  const { sources, active, output } = plan(graph, options);
  const path = pathTo(graph, active, output);
  const gradients = Array.from(sources.keys()).filter((name) => path.tensors.has(name));
  const chosen = [
    ...(options.inputs ?? []),
    ...(options.at ?? []),
    ...(options.feed === undefined ? [] : [options.feed]),
  ];
  const unreached = chosen.find((name) => !path.tensors.has(name));
  if (unreached !== undefined)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `no gradient passes from '${unreached}' to output '${output}' of the model`,
    );

  const constants = new Constants(graph);
  const builder = new TwinBuilder(model.opsets.get('') ?? 17, new Shapes(graph, constants));
  const replaced = new Map<OnnxNode, OnnxNode>();
  const seed = builder.reshapeLike(outputWeights, output);
  const found = backward({
    nodes: path.nodes,
    tensors: path.tensors,
    active,
    constants,
    builder,
    replaced,
    output,
    seed,
  });

  const declared = new Map<string, OnnxValue>();
  for (const value of [...graph.values, ...graph.outputs, ...graph.inputs]) declared.set(value.name, value);
  const names = new Set(graph.outputs.map((value) => value.name));
  const outputs = [...graph.outputs];
  for (const name of options.at ?? []) {
    if (!names.has(name)) outputs.push(value(name, active.get(name) ?? 0));
    names.add(name);
  }
  const last: OnnxNode[] = [];
  for (const name of gradients) {
    const gradient = found(name);
    last.push(makeNode('Identity', [gradient], [gradientName(name)], {}, gradientName(name)));
    outputs.push(value(gradientName(name), active.get(name) ?? 0, declared.get(name)?.dims));
  }
  const weightsType = active.get(output) ?? 0;
  const weights = value(outputWeights, weightsType, weightsShape(declared.get(output)?.dims));
  const added = new ProtoWriter();
  for (const tensor of builder.initializers) added.bytes(5, tensor);
  const nodes = [...graph.nodes.map((node) => replaced.get(node) ?? node), ...builder.nodes, ...last];
  const rest = [...graph.rest, ...protoFields(added.finish())];
  const whole = { ...graph, nodes, rest, inputs: [...graph.inputs, weights], outputs };
  return { model: writeOnnx({ ...model, graph: whole }), output, weightsType, gradients };
}

/** The model that is differentiated: read, brought up to date, and cut where a tensor is to be fed. */
function prepare(bytes: Uint8Array, feed: string | undefined): OnnxModel {
  const model = upgrade(readOnnx(bytes));
  const taken = [...model.graph.inputs, ...model.graph.outputs].find((value) =>
    value.name.startsWith('shoal.gradient.'),
  );
  if (taken !== undefined) throw new ShoalError('INVALID_ARGUMENT', 'the model is a gradient twin already');
  if (feed === undefined) return model;
  const producer = model.graph.nodes.find((node) => node.outputs.includes(feed));
  if (producer === undefined)
    throw new ShoalError('INVALID_ARGUMENT', `the model has no inner tensor '${feed}' to be fed`);
  const renamed = (name: string): string => (name === feed ? `shoal.unfed.${feed}` : name);
  const cut = { ...producer, outputs: producer.outputs.map(renamed), raw: undefined };
  const nodes = model.graph.nodes.map((node) => (node === producer ? cut : node));
  const shapes = new Shapes(model.graph, new Constants(model.graph));
  const dims = shapes.of(feed)?.map((dim) => (typeof dim === 'string' && dim.startsWith('?') ? undefined : dim));
  const input = value(feed, innerType(model.graph, feed), dims);
  return { ...model, graph: { ...model.graph, nodes, inputs: [...model.graph.inputs, input] } };
}

/** Element type of an inner tensor: as annotated, or that of the model's first float weight, which is nearly always it. */
function innerType(graph: OnnxGraph, name: string): number {
  const stated = [...graph.values, ...graph.outputs].find((value) => value.name === name && value.type !== 0);
  if (stated !== undefined) return stated.type;
  for (const tensor of graph.initializers.values()) if (isFloat(tensor.type)) return tensor.type;
  return 1;
}

function plan(
  graph: OnnxGraph,
  options: TwinOptions,
): { sources: Map<string, number>; active: Map<string, number>; output: string } {
  const sources = new Map<string, number>();
  const inputs = graph.inputs.filter((input) => !graph.initializers.has(input.name));
  const inner = options.at ?? [];
  const all = inner.length === 0 && options.feed === undefined ? inputs.filter((input) => isFloat(input.type)) : [];
  for (const name of options.inputs ?? all.map((input) => input.name)) {
    const input = inputs.find((one) => one.name === name);
    if (input === undefined)
      throw new ShoalError('INVALID_ARGUMENT', `the model has no input '${name}' to differentiate by`);
    if (!isFloat(input.type))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `input '${name}' of the model is not of a floating-point type: it has no gradient`,
      );
    sources.set(name, input.type);
  }
  if (options.feed !== undefined) sources.set(options.feed, innerType(graph, options.feed));
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const name of inner) {
    if (!made.has(name) || name === '')
      throw new ShoalError('INVALID_ARGUMENT', `the model has no inner tensor '${name}'`);
  }
  if (sources.size === 0 && inner.length === 0)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      'the model has no input of a floating-point type; name a tensor within it, for instance its embedding',
    );
  // Types of inner tensors follow from what they are computed of, where that is a float input; else they are looked up.
  const reached = activeTensors(graph, sources);
  for (const name of inner) sources.set(name, reached.get(name) ?? innerType(graph, name));
  const active = activeTensors(graph, sources);
  const output = options.output ?? graph.outputs.find((value) => active.has(value.name))?.name;
  if (output === undefined || !graph.outputs.some((value) => value.name === output)) {
    const problem =
      output === undefined ? 'no output of the model has a gradient' : `the model has no output '${output}'`;
    throw new ShoalError('INVALID_ARGUMENT', problem);
  }
  if (!active.has(output)) {
    const by = Array.from(sources.keys(), (name) => `'${name}'`).join(', ');
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `output '${output}' of the model has no gradient by ${by}: it does not depend on it, or changes in jumps alone`,
    );
  }
  return { sources, active, output };
}

/** [batch, outputs] for an output of any rank. */
function weightsShape(dims: readonly Dimension[] | undefined): Dimension[] {
  if (dims === undefined) return [undefined, undefined];
  const [batch, ...rest] = dims;
  const size = rest.reduce<number>((all, dim) => (typeof dim === 'number' ? all * dim : Number.NaN), 1);
  return [dims.length === 0 ? 1 : batch, rest.length === 1 ? rest[0] : Number.isNaN(size) ? undefined : size];
}

const value = (name: string, type: number, dims?: readonly Dimension[]): OnnxValue => ({
  name,
  type,
  dims,
  raw: makeValue(name, type, dims),
});
