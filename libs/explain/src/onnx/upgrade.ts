import { ShoalError } from '@shoal/core';

import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from './onnx-model';
import { elementType } from './onnx-model';
import { protoFields } from './proto-fields';
import { ProtoWriter } from './proto-writer';
import { type AttributeValue, makeAttribute, makeNode, makeTensor } from './write-onnx';

/** The version to which older models are brought, so that what is added to them may use its operators. */
const target = 17;
const oldest = 9;
const newest = 24;

/**
 * The same model in opset 17 when it is older (9 to 16), itself otherwise. Only what changed its meaning or form
 * between the versions is touched (ONNX's Changelog.md). Throws UNIMPLEMENTED for what cannot be carried over.
 */
export function upgrade(given: OnnxModel): OnnxModel {
  const model = given.irVersion < 4 ? { ...given, graph: withoutStoredInputs(given.graph) } : given;
  const version = model.opsets.get('');
  if (version === undefined) {
    // A model of ai.onnx.ml operators alone.
    return { ...model, opsets: new Map([...model.opsets, ['', target]]), irVersion: Math.max(8, model.irVersion) };
  }
  if (!(version >= oldest && version <= newest))
    throw new ShoalError(
      'UNIMPLEMENTED',
      `gradients know opset ${oldest} to ${newest}, the model has opset ${version}`,
    );
  const irVersion = Math.max(8, model.irVersion);
  if (version >= target) return { ...model, irVersion };
  const refuse = (what: string): never => {
    throw new ShoalError(
      'UNIMPLEMENTED',
      `gradients cannot use ${what} of opset ${version}; export the model with opset 17`,
    );
  };
  if (model.rest.some((field) => field.number === 25)) refuse('functions in a model');
  const made = new Made();
  for (const node of model.graph.nodes) {
    const old = node.domain === '' ? changes[node.op] : undefined;
    if (Array.from(node.attributes.values()).some((attribute) => attribute.isGraph)) refuse(`operator ${node.op}`);
    if (old === undefined || version >= old.until) made.nodes.push(node);
    else old.change(node, made, refuse);
  }
  const added = protoFields(made.initializers.finish());
  const rest = [...model.graph.rest, ...added];
  const graph = { ...model.graph, nodes: made.nodes, rest, initializers: new Map(model.graph.initializers) };
  for (const [name, tensor] of made.tensors) graph.initializers.set(name, tensor);
  return { ...model, irVersion, opsets: new Map([...model.opsets, ['', target]]), graph };
}

/** Before version 4 of the format what is stored had to be listed as an input, too; since then that makes it optional. */
function withoutStoredInputs(graph: OnnxGraph): OnnxGraph {
  return { ...graph, inputs: graph.inputs.filter((input) => !graph.initializers.has(input.name)) };
}

class Made {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new ProtoWriter();
  readonly tensors = new Map<string, OnnxTensor>();
  private count = 0;

  name(): string {
    this.count += 1;
    return `shoal.upgrade.${this.count}`;
  }

  constant(type: number, dims: readonly number[], values: readonly number[]): string {
    const name = this.name();
    const bytes = makeTensor(name, type, dims, values);
    this.initializers.bytes(5, bytes);
    this.tensors.set(name, { name, dims, type, fields: protoFields(bytes) });
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant(elementType.int64, [values.length], values);
  }

  op(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    const output = this.name();
    this.nodes.push(makeNode(op, inputs, [output], attributes, output));
    return output;
  }

  /** A number of the type of `like`. */
  number(value: number, like: string): string {
    return this.op('CastLike', [this.constant(elementType.float, [], [value]), like]);
  }

  /** The node with other inputs, without some attributes, with others. */
  with(
    node: OnnxNode,
    inputs: readonly string[],
    without: readonly string[],
    extra: Readonly<Record<string, AttributeValue>> = {},
    op = node.op,
  ): void {
    const attributes = new Map(node.attributes);
    for (const name of without) attributes.delete(name);
    for (const [name, value] of Object.entries(extra)) attributes.set(name, makeAttribute(name, value));
    this.nodes.push({ ...node, op, inputs, attributes, raw: undefined });
  }
}

type Change = (node: OnnxNode, made: Made, refuse: (what: string) => never) => void;

/** An attribute that became the second input. */
const attributeToInput =
  (name: string): Change =>
  (node, made) => {
    const list = node.attributes.get(name);
    const value = list?.i === undefined ? list?.ints : [list.i];
    if (value === undefined) made.with(node, node.inputs, []);
    else made.with(node, [node.inputs[0] ?? '', made.ints(value)], [name]);
  };

/** Softmax of before 13: over all dimensions from `axis` (default 1) on, taken as one. */
const flatSoftmax: Change = (node, made) => {
  const axis = node.attributes.get('axis')?.i ?? 1;
  const x = node.inputs[0] ?? '';
  if (axis === -1) {
    made.with(node, node.inputs, []);
    return;
  }
  const flat = made.op('Flatten', [x], { axis });
  const result = made.op(node.op, [flat], { axis: -1 });
  made.nodes.push(makeNode('Reshape', [result, made.op('Shape', [x])], node.outputs, {}, node.name));
};

const slice: Change = (node, made) => {
  const starts = node.attributes.get('starts')?.ints ?? [];
  const axes = node.attributes.get('axes')?.ints ?? starts.map((_, axis) => axis);
  const ends = node.attributes.get('ends')?.ints ?? [];
  const inputs = [node.inputs[0] ?? '', made.ints(starts), made.ints(ends), made.ints(axes)];
  made.with(node, inputs, ['starts', 'ends', 'axes']);
};

const clip: Change = (node, made) => {
  const x = node.inputs[0] ?? '';
  const [min, max] = [node.attributes.get('min')?.f, node.attributes.get('max')?.f];
  const bounds = [min, max].map((bound) => (bound === undefined ? '' : made.number(bound, x)));
  made.with(node, [x, ...bounds], ['min', 'max']);
};

const pad: Change = (node, made) => {
  const x = node.inputs[0] ?? '';
  const value = node.attributes.get('value')?.f ?? 0;
  const inputs = [x, made.ints(node.attributes.get('pads')?.ints ?? [])];
  if (value !== 0) inputs.push(made.number(value, x));
  made.with(node, inputs, ['pads', 'value']);
};

const resize: Change = (node, made) => {
  const list = node.attributes.get('scales')?.floats;
  const scales = list === undefined ? (node.inputs[1] ?? '') : made.constant(elementType.float, [list.length], list);
  const extra = { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
  made.with(node, [node.inputs[0] ?? '', '', scales], ['scales'], extra, 'Resize');
};

const batchNormalization: Change = (node, made, refuse) => {
  if (node.outputs.slice(1).some((name) => name !== '')) refuse('a training BatchNormalization');
  if (node.attributes.get('spatial')?.i === 0) refuse('BatchNormalization with spatial 0');
  made.with({ ...node, outputs: node.outputs.slice(0, 1) }, node.inputs, ['spatial']);
};

/** What changed: nodes of a model older than `until` are rewritten. */
const changes: Readonly<Record<string, { readonly until: number; readonly change: Change }>> = {
  Slice: { until: 10, change: slice },
  TopK: { until: 10, change: attributeToInput('k') },
  Upsample: { until: 11, change: resize },
  Resize: { until: 11, change: resize },
  Scatter: { until: 17, change: (node, made) => made.with(node, node.inputs, [], {}, 'ScatterElements') },
  Clip: { until: 11, change: clip },
  Pad: { until: 11, change: pad },
  Dropout: { until: 12, change: (node, made) => made.with(node, node.inputs, ['ratio']) },
  Softmax: { until: 13, change: flatSoftmax },
  LogSoftmax: { until: 13, change: flatSoftmax },
  Hardmax: { until: 13, change: flatSoftmax },
  Squeeze: { until: 13, change: attributeToInput('axes') },
  Unsqueeze: { until: 13, change: attributeToInput('axes') },
  ReduceSum: { until: 13, change: attributeToInput('axes') },
  Split: { until: 13, change: attributeToInput('split') },
  BatchNormalization: { until: 14, change: batchNormalization },
  RoiAlign: {
    until: 16,
    change: (node, made) => made.with(node, node.inputs, [], { coordinate_transformation_mode: 'output_half_pixel' }),
  },
};
