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

/** The fields of a protobuf message in their order. Throws INVALID_ARGUMENT when the bytes are not one. */
export function protoFields(message: Uint8Array): ProtoField[] {
  const fields: ProtoField[] = [];
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
    const tag = varint(message.subarray(start, at));
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (tag > 0xffffffff || number === 0) throw malformed();
    let from = at;
    if (wire === 0) skipVarint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      skipVarint();
      const length = varint(message.subarray(from, at));
      if (length < 0) throw malformed();
      from = at;
      at += length;
    } else throw malformed();
    if (at > message.length) throw truncated();
    fields.push({ number, wire, bytes: message.subarray(from, at), raw: message.subarray(start, at) });
  }
  return fields;
}

/** A varint as a signed 64-bit number; beyond 2^53 the nearest double. */
export function varint(bytes: Uint8Array): number {
  let value = 0;
  if (bytes.length < 8) {
    for (let index = bytes.length - 1; index >= 0; index -= 1) value = value * 128 + ((bytes[index] as number) & 0x7f);
    return value;
  }
  let wide = 0n;
  for (let index = bytes.length - 1; index >= 0; index -= 1)
    wide = (wide << 7n) | BigInt((bytes[index] as number) & 0x7f);
  return Number(BigInt.asIntN(64, wide));
}

/** All values of a repeated number field, packed or not. */
export function numbers(field: ProtoField, kind: 'varint' | 'float' | 'double', into: number[]): void {
  const width = kind === 'float' ? 4 : 8;
  const view = new DataView(field.bytes.buffer, field.bytes.byteOffset, field.bytes.byteLength);
  if (kind !== 'varint') {
    if (field.bytes.length % width !== 0) throw malformed();
    for (let at = 0; at < field.bytes.length; at += width)
      into.push(kind === 'float' ? view.getFloat32(at, true) : view.getFloat64(at, true));
    return;
  }
  let start = 0;
  for (let at = 0; at < field.bytes.length; at += 1) {
    if ((field.bytes[at] as number) >= 0x80) continue;
    into.push(varint(field.bytes.subarray(start, at + 1)));
    start = at + 1;
  }
  if (start !== field.bytes.length) throw truncated();
}

const utf8 = new TextDecoder();

/** The text of a bytes field. */
export const text = (field: ProtoField): string => utf8.decode(field.bytes);
