/*
 * Just enough of onnx.proto3 to write small models without a library. Field numbers are those of onnx.proto3.
 */

/** ONNX's element types, TensorProto.DataType. */
export const elementTypes = { float: 1, int32: 6, int64: 7 } as const;

export type ElementType = keyof typeof elementTypes;

/** An input or output of the graph; a text is a dimension of any size. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

/** A constant of the graph. */
export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers and lists of integers only. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
}

/** A serialised ModelProto: IR version 8, operators of opset 17. */
export function writeModel(graph: Graph): Buffer {
  return message([
    integer(1, 8),
    text(2, 'shoal-bench'),
    bytes(7, writeGraph(graph)),
    bytes(8, message([text(1, ''), integer(2, 17)])),
  ]);
}

function writeGraph({ name, inputs, outputs, nodes, initializers }: Graph): Buffer {
  return message([
    ...nodes.map((node) => bytes(1, writeNode(node))),
    text(2, name),
    ...initializers.map((initializer) => bytes(5, writeInitializer(initializer))),
    ...inputs.map((value) => bytes(11, writeValue(value))),
    ...outputs.map((value) => bytes(12, writeValue(value))),
  ]);
}

function writeNode({ op, inputs, outputs, attributes = {} }: Node): Buffer {
  return message([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, writeAttribute(name, value))),
  ]);
}

/** AttributeProto with INT (2) or INTS (7). */
function writeAttribute(name: string, value: number | readonly number[]): Buffer {
  if (typeof value === 'number') return message([text(1, name), integer(3, value), integer(20, 2)]);
  return message([text(1, name), ...value.map((one) => integer(8, one)), integer(20, 7)]);
}

function writeInitializer({ name, shape, data }: Initializer): Buffer {
  const type = data instanceof Float32Array ? elementTypes.float : elementTypes.int64;
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return message([...shape.map((dim) => integer(1, dim)), integer(2, type), text(8, name), bytes(9, raw)]);
}

export function writeValue({ name, type, shape }: Value): Buffer {
  const dims = shape.map((dim) =>
    bytes(1, typeof dim === 'number' ? message([integer(1, dim)]) : message([text(2, dim)])),
  );
  const tensor = message([integer(1, elementTypes[type]), bytes(2, message(dims))]);
  return message([text(1, name), bytes(2, message([bytes(1, tensor)]))]);
}

export function message(fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function integer(field: number, value: number): Buffer {
  return Buffer.from([...varint(field * 8), ...varint(value)]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

export function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(value.length)]), value]);
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  return [...out, rest];
}
