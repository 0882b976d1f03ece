import { ShoalError } from '@shoal/core';

/** One field of a protobuf message, not copied: what it says and the bytes that said it. */
export interface ProtoField {
  readonly number: number;
  /** 0 varint, 1 fixed64, 2 bytes, 5 fixed32. */
  readonly wire: number;
  /** The payload: of wire type 2 without its length; of the others the bytes of the number. */
  readonly bytes: Uint8Array;
  /** Tag and payload, to be written again as they are. */
  readonly raw: Uint8Array;
}

const truncated = (): ShoalError =>
  new ShoalError('INVALID_ARGUMENT', 'not an ONNX model: the file ends within a field');
const malformed = (): ShoalError =>
  new ShoalError('INVALID_ARGUMENT', 'not an ONNX model: its bytes are not a protobuf message');

/** Told of each field of a message: its number, wire type, the payload's place, and where its tag begins. */
export type FieldVisitor = (number: number, wire: number, from: number, to: number, start: number) => void;

/** Visits the fields of a protobuf message in their order, making nothing. Throws INVALID_ARGUMENT when the bytes are not one. */
export function eachField(message: Uint8Array, visit: FieldVisitor): void {
  let at = 0;
  const skipVarint = (): void => {
    for (let n = 0; n < 10; n += 1) {
      const byte = message[at];
      if (byte === undefined) throw truncated();
      at += 1;
      if (byte < 0x80) return;
    }
    throw malformed();
  };
  while (at < message.length) {
    const start = at;
    skipVarint();
    const tag = varint(message, start, at);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (tag > 0xffffffff || number === 0) throw malformed();
    let from = at;
    if (wire === 0) skipVarint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      skipVarint();
      const length = varint(message, from, at);
      if (length < 0) throw malformed();
      from = at;
      at += length;
    } else throw malformed();
    if (at > message.length) throw truncated();
    visit(number, wire, from, at, start);
  }
}

/** The fields of a protobuf message in their order. Throws INVALID_ARGUMENT when the bytes are not one. */
export function protoFields(message: Uint8Array): ProtoField[] {
  const fields: ProtoField[] = [];
  eachField(message, (number, wire, from, to, start) => {
    fields.push({ number, wire, bytes: message.subarray(from, to), raw: message.subarray(start, to) });
  });
  return fields;
}

/** A varint, by default all of `bytes`, as a signed 64-bit number; beyond 2^53 the nearest double. */
export function varint(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let value = 0;
  if (to - from < 8) {
    for (let index = to - 1; index >= from; index -= 1) value = value * 128 + ((bytes[index] as number) & 0x7f);
    return value;
  }
  let wide = 0n;
  for (let index = to - 1; index >= from; index -= 1) wide = (wide << 7n) | BigInt((bytes[index] as number) & 0x7f);
  return Number(BigInt.asIntN(64, wide));
}

/** All values of a repeated number field, packed or not. */
export function numbers(
  { bytes }: Pick<ProtoField, 'bytes'>,
  kind: 'varint' | 'float' | 'double',
  into: number[],
): void {
  const width = kind === 'float' ? 4 : 8;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind !== 'varint') {
    if (bytes.length % width !== 0) throw malformed();
    for (let at = 0; at < bytes.length; at += width)
      into.push(kind === 'float' ? view.getFloat32(at, true) : view.getFloat64(at, true));
    return;
  }
  let start = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if ((bytes[at] as number) >= 0x80) continue;
    into.push(varint(bytes, start, at + 1));
    start = at + 1;
  }
  if (start !== bytes.length) throw truncated();
}

const utf8 = new TextDecoder();

/** The text of a bytes field. */
export const text = (field: ProtoField): string => utf8.decode(field.bytes);
