import { type DataType, elementSize, isDataType } from '@shoal/tensor';
import { contentsTwice, contentsType } from './error-texts';
import { WireReader, wire } from './wire-reader';

/** The fields of InferTensorContents by number, with the data types that each may carry, widest first. */
const fields: readonly (readonly DataType[])[] = [
  [],
  ['BOOL'],
  ['INT32', 'INT16', 'INT8'],
  ['INT64'],
  ['UINT32', 'UINT16', 'UINT8'],
  ['UINT64'],
  ['FP32'],
  ['FP64'],
  ['BYTES'],
];
const boolField = 1;
const fp32Field = 6;
const fp64Field = 7;
const bytesField = 8;

/** Typed contents that have been checked and measured, but not yet turned into raw bytes. */
export interface TypedContents {
  /** Bytes of the raw form. */
  readonly byteLength: number;
  /** The raw form, little-endian, as in raw_input_contents: one allocation. */
  toRaw(): Uint8Array;
}

/**
 * Measures an undecoded InferTensorContents for an input of the data type `datatype` (as the request names it).
 * Throws INVALID_ARGUMENT when it is malformed, holds values of another type, or of two.
 */
export function measureContents(contents: Buffer, input: string, model: string, datatype: string): TypedContents {
  const counts = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  let stringBytes = 0;
  walk(contents, input, {
    number: (field) => {
      counts[field] = (counts[field] as number) + 1;
    },
    string: (start, end) => {
      counts[bytesField] = (counts[bytesField] as number) + 1;
      stringBytes += 4 + end - start;
    },
  });
  let chosen = 0;
  let byteLength = 0;
  for (let field = 1; field < counts.length; field += 1) {
    if (counts[field] === 0) continue;
    if (byteLength !== 0) throw contentsTwice(input, model);
    const known = isDataType(datatype) ? datatype : undefined;
    const allowed = fields[field] as readonly DataType[];
    if (known === undefined || !allowed.includes(known)) {
      throw contentsType(input, model, allowed[0] as string, known ?? '<invalid>');
    }
    chosen = field;
    byteLength = field === bytesField ? stringBytes : (counts[field] as number) * elementSize(known);
  }
  return { byteLength, toRaw: () => toRaw(contents, input, chosen, datatype, byteLength) };
}

function toRaw(contents: Buffer, input: string, chosen: number, datatype: string, byteLength: number): Uint8Array {
  const raw = Buffer.allocUnsafeSlow(byteLength);
  const width = isDataType(datatype) ? elementSize(datatype) : 0;
  let at = 0;
  walk(contents, input, {
    number: (field, reader) => {
      if (field !== chosen) return;
      if (field === boolField) raw[at] = (reader.low | reader.high) === 0 ? 0 : 1;
      else if (width === 1) raw[at] = reader.low & 0xff;
      else if (width === 2) raw.writeUInt16LE(reader.low & 0xffff, at);
      else {
        raw.writeUInt32LE(reader.low, at);
        if (width === 8) raw.writeUInt32LE(reader.high, at + 4);
      }
      at += width;
    },
    string: (start, end) => {
      raw.writeUInt32LE(end - start, at);
      contents.copy(raw, at + 4, start, end);
      at += 4 + end - start;
    },
  });
  return raw;
}

interface Visitor {
  /** A number of the field, in the reader's `low` and `high`. */
  number(field: number, reader: WireReader): void;
  /** An element of bytes_contents. */
  string(start: number, end: number): void;
}

function walk(contents: Buffer, input: string, visitor: Visitor): void {
  const reader = new WireReader(contents, `contents of input '${input.slice(0, 64)}'`);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const field = tag >>> 3;
    const type = tag & 7;
    const one = wireTypeOf(field);
    if (field === bytesField && type === wire.bytes) {
      const length = reader.length('an element');
      visitor.string(reader.at, reader.at + length);
      reader.at += length;
    } else if (one !== undefined && type === one) {
      readNumber(reader, one);
      visitor.number(field, reader);
    } else if (one !== undefined && type === wire.bytes) {
      const outer = reader.enter('packed values');
      while (reader.at < reader.end) {
        readNumber(reader, one);
        visitor.number(field, reader);
      }
      reader.leave(outer);
    } else reader.skip(tag);
  }
}

/** The wire type of one number of the field; undefined for fields that hold no numbers. */
function wireTypeOf(field: number): number | undefined {
  if (field === fp32Field) return wire.fixed32;
  if (field === fp64Field) return wire.fixed64;
  return field >= boolField && field < fp32Field ? wire.varint : undefined;
}

function readNumber(reader: WireReader, type: number): void {
  if (type === wire.varint) reader.varint64();
  else if (type === wire.fixed64) reader.fixed64();
  else reader.fixed32();
}
