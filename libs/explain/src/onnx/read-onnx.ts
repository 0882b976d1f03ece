import { ShoalError } from '@shoal/core';

import type { Dimension, OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from './onnx-model';
import { eachField, numbers, protoFields, text, varint } from './proto-fields';

/** Sub-graphs within sub-graphs; real models have two or three. */
const deepest = 16;
const utf8 = new TextDecoder();

/**
 * Reads an ONNX file (onnx.proto) as far as a rewrite needs it; what it does not understand is kept as bytes. Nothing
 * of tensors is copied. Throws INVALID_ARGUMENT with a sentence for bytes that are not a model.
 */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  let irVersion = 0;
  const opsets = new Map<string, number>();
  const graphs: Uint8Array[] = [];
  const rest = [];
  for (const field of protoFields(bytes)) {
    if (field.number === 1 && field.wire === 0) irVersion = varint(field.bytes);
    else if (field.number === 7 && field.wire === 2) graphs.push(field.bytes);
    else if (field.number === 8 && field.wire === 2) {
      const { domain, version } = readOpset(field.bytes);
      opsets.set(domain, version);
    } else rest.push(field);
  }
  const [graph, second] = graphs;
  if (graph === undefined) throw new ShoalError('INVALID_ARGUMENT', 'not an ONNX model: it has no graph');
  if (second !== undefined) throw new ShoalError('INVALID_ARGUMENT', 'not an ONNX model: it has two graphs');
  return { irVersion, opsets, graph: readGraph(graph), rest };
}

function readOpset(bytes: Uint8Array): { domain: string; version: number } {
  let domain = '';
  let version = 0;
  for (const field of protoFields(bytes)) {
    if (field.number === 1 && field.wire === 2) domain = text(field);
    if (field.number === 2 && field.wire === 0) version = varint(field.bytes);
  }
  return { domain: domain === 'ai.onnx' ? '' : domain, version };
}

function readGraph(bytes: Uint8Array): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const values: OnnxValue[] = [];
  const rest = [];
  for (const field of protoFields(bytes)) {
    const known = field.wire === 2;
    if (known && field.number === 1) nodes.push(readNode(field.bytes, 0));
    else if (known && field.number === 11) inputs.push(readValue(field.bytes));
    else if (known && field.number === 12) outputs.push(readValue(field.bytes));
    else {
      if (known && field.number === 13) values.push(readValue(field.bytes));
      if (known && field.number === 5) {
        const tensor = readTensor(field.bytes);
        initializers.set(tensor.name, tensor);
      }
      rest.push(field);
    }
  }
  return { nodes, initializers, inputs, outputs, values, rest };
}

function readNode(bytes: Uint8Array, depth: number): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  let name = '';
  let op = '';
  let domain = '';
  for (const field of protoFields(bytes)) {
    if (field.wire !== 2) continue;
    if (field.number === 1) inputs.push(text(field));
    else if (field.number === 2) outputs.push(text(field));
    else if (field.number === 3) name = text(field);
    else if (field.number === 4) op = text(field);
    else if (field.number === 7) domain = text(field);
    else if (field.number === 5) {
      const attribute = readAttribute(field.bytes, depth);
      attributes.set(attribute.name, attribute);
    }
  }
  return { op, domain: domain === 'ai.onnx' ? '' : domain, name, inputs, outputs, attributes, raw: bytes };
}

function readAttribute(bytes: Uint8Array, depth: number): OnnxAttribute {
  let name = '';
  let f: number | undefined;
  let i: number | undefined;
  let s: string | undefined;
  let t: OnnxTensor | undefined;
  let isGraph = false;
  const floats: number[] = [];
  const ints: number[] = [];
  const strings: string[] = [];
  const captured: string[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const part = (from: number, to: number): Uint8Array => bytes.subarray(from, to);
  // Lists may have millions of elements, each a field of its own: nothing is made of a field but its number.
  eachField(bytes, (number, wire, from, to) => {
    if (number === 8 && wire === 0) ints.push(varint(bytes, from, to));
    else if (number === 7 && wire === 5) floats.push(view.getFloat32(from, true));
    else if (number === 2 && wire === 5) f = view.getFloat32(from, true);
    else if (number === 3 && wire === 0) i = varint(bytes, from, to);
    else if (wire !== 2) return;
    else if (number === 7) numbers({ bytes: part(from, to) }, 'float', floats);
    else if (number === 8) numbers({ bytes: part(from, to) }, 'varint', ints);
    else if (number === 1) name = utf8.decode(part(from, to));
    else if (number === 4) s = utf8.decode(part(from, to));
    else if (number === 5) t = readTensor(part(from, to));
    else if (number === 9) strings.push(utf8.decode(part(from, to)));
    else if (number === 6 || number === 11) {
      isGraph = true;
      capturedNames(part(from, to), depth + 1, captured);
    }
  });
  return { name, f, i, s, t, floats, ints, strings, captured, isGraph, raw: bytes };
}

/** Every name that a sub-graph's nodes or outputs use, its own included: more than the outer graph's, never fewer. */
function capturedNames(graph: Uint8Array, depth: number, into: string[]): void {
  if (depth > deepest)
    throw new ShoalError('INVALID_ARGUMENT', `the model's sub-graphs are nested deeper than ${deepest}`);
  for (const field of protoFields(graph)) {
    if (field.wire !== 2) continue;
    if (field.number === 12) into.push(readValue(field.bytes).name);
    if (field.number !== 1) continue;
    const node = readNode(field.bytes, depth);
    for (const input of node.inputs) into.push(input);
    for (const attribute of node.attributes.values()) for (const name of attribute.captured) into.push(name);
  }
}

function readTensor(bytes: Uint8Array): OnnxTensor {
  const dims: number[] = [];
  let name = '';
  let type = 0;
  const fields = protoFields(bytes);
  for (const field of fields) {
    if (field.number === 1 && (field.wire === 0 || field.wire === 2)) numbers(field, 'varint', dims);
    else if (field.number === 2 && field.wire === 0) type = varint(field.bytes);
    else if (field.number === 8 && field.wire === 2) name = text(field);
  }
  return { name, dims, type, fields };
}

function readValue(bytes: Uint8Array): OnnxValue {
  let name = '';
  let type = 0;
  let dims: Dimension[] | undefined;
  for (const field of protoFields(bytes)) {
    if (field.number === 1 && field.wire === 2) name = text(field);
    if (field.number !== 2 || field.wire !== 2) continue;
    for (const kind of protoFields(field.bytes)) {
      if (kind.number !== 1 || kind.wire !== 2) continue;
      for (const part of protoFields(kind.bytes)) {
        if (part.number === 1 && part.wire === 0) type = varint(part.bytes);
        else if (part.number === 2 && part.wire === 2) dims = readShape(part.bytes);
      }
    }
  }
  return { name, type, dims, raw: bytes };
}

function readShape(bytes: Uint8Array): Dimension[] {
  const dims: Dimension[] = [];
  for (const field of protoFields(bytes)) {
    if (field.number !== 1 || field.wire !== 2) continue;
    let dim: Dimension;
    for (const part of protoFields(field.bytes)) {
      if (part.number === 1 && part.wire === 0) dim = varint(part.bytes);
      else if (part.number === 2 && part.wire === 2 && part.bytes.length > 0) dim = text(part);
    }
    dims.push(typeof dim === 'number' && dim < 0 ? undefined : dim);
  }
  return dims;
}
