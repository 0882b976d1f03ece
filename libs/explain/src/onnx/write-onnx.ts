import type { Dimension, OnnxAttribute, OnnxModel, OnnxNode } from './onnx-model';
import { elementType } from './onnx-model';
import { clampInt64, ProtoWriter } from './proto-writer';

/** What an attribute of a made node may be; `{ float }` tells 1.0 from 1. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Uint8Array };

/** A whole model file. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  const graph = new ProtoWriter();
  for (const node of model.graph.nodes) graph.bytes(1, node.raw ?? encodeNode(node));
  for (const field of model.graph.rest) graph.raw(field.raw);
  for (const input of model.graph.inputs) graph.bytes(11, input.raw);
  for (const output of model.graph.outputs) graph.bytes(12, output.raw);
  const file = new ProtoWriter().int(1, model.irVersion);
  for (const field of model.rest) file.raw(field.raw);
  for (const [domain, version] of model.opsets) file.message(8, new ProtoWriter().string(1, domain).int(2, version));
  return file.message(7, graph).finish();
}

function encodeNode(node: OnnxNode): Uint8Array {
  const writer = new ProtoWriter();
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(3, node.name).string(4, node.op);
  for (const attribute of node.attributes.values()) writer.bytes(5, attribute.raw);
  if (node.domain !== '') writer.string(7, node.domain);
  return writer.finish();
}

/** An attribute made from its value. */
export function makeAttribute(name: string, value: AttributeValue): OnnxAttribute {
  const writer = new ProtoWriter().string(1, name);
  const made = { f: undefined, i: undefined, s: undefined, t: undefined, floats: [], ints: [], strings: [] };
  const common = { name, captured: [], isGraph: false };
  if (typeof value === 'number') return { ...made, ...common, i: value, raw: writer.int(3, value).int(20, 2).finish() };
  if (typeof value === 'string')
    return { ...made, ...common, s: value, raw: writer.string(4, value).int(20, 3).finish() };
  if ('float' in value)
    return { ...made, ...common, f: value.float, raw: writer.float(2, value.float).int(20, 1).finish() };
  if ('tensor' in value) return { ...made, ...common, raw: writer.bytes(5, value.tensor).int(20, 4).finish() };
  if ('strings' in value) {
    for (const one of value.strings) writer.string(9, one);
    return { ...made, ...common, strings: value.strings, raw: writer.int(20, 8).finish() };
  }
  if ('floats' in value) {
    for (const one of value.floats) writer.float(7, one);
    return { ...made, ...common, floats: value.floats, raw: writer.int(20, 6).finish() };
  }
  for (const one of value) writer.int(8, one);
  return { ...made, ...common, ints: value, raw: writer.int(20, 7).finish() };
}

/** A node made from its parts. */
export function makeNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  name = '',
  domain = '',
): OnnxNode {
  const made = new Map<string, OnnxAttribute>();
  for (const [key, value] of Object.entries(attributes)) made.set(key, makeAttribute(key, value));
  return { op, domain, name, inputs, outputs, attributes: made, raw: undefined };
}

/** A TensorProto of int64, bool, float or double elements. */
export function makeTensor(name: string, type: number, dims: readonly number[], values: ArrayLike<number>): Uint8Array {
  const writer = new ProtoWriter();
  for (const dim of dims) writer.int(1, dim);
  writer.int(2, type).string(8, name);
  const list = Array.from(values);
  if (type === elementType.float16) {
    // Half precision goes through int32_data, as onnx.proto asks.
    for (const value of list) writer.int(5, halfBits(value));
    return writer.finish();
  }
  let raw: ArrayBufferLike;
  if (type === elementType.double) raw = Float64Array.from(list).buffer;
  else if (type === elementType.int64) raw = BigInt64Array.from(list, clampInt64).buffer;
  else if (type === elementType.int32) raw = Int32Array.from(list).buffer;
  else if (type === elementType.bool) raw = Uint8Array.from(list).buffer;
  else raw = Float32Array.from(list).buffer;
  return writer.bytes(9, new Uint8Array(raw)).finish();
}

/** The bits of the nearest half-precision number (ties away from zero; subnormals to zero): for constants of rules. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign;
  const exponent = Math.floor(Math.log2(size));
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024));
}

/** A ValueInfoProto; without dims the shape is left to inference, without a type (0) that, too. */
export function makeValue(name: string, type: number, dims?: readonly Dimension[]): Uint8Array {
  const writer = new ProtoWriter().string(1, name);
  if (type === 0) return writer.finish();
  const tensor = new ProtoWriter().int(1, type);
  if (dims !== undefined) {
    const shape = new ProtoWriter();
    for (const dim of dims) {
      const one = new ProtoWriter();
      if (typeof dim === 'number') one.int(1, dim);
      else if (typeof dim === 'string') one.string(2, dim);
      shape.message(1, one);
    }
    tensor.message(2, shape);
  }
  return writer.message(2, new ProtoWriter().message(1, tensor)).finish();
}
