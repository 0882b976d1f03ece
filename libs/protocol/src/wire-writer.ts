import type { InferParameter, InferParameters } from './parameters';

/*
 * Sizes and writers of protobuf's wire format, in pairs: what `sizeOf…` says is exactly what `write…` writes, so a
 * message is one allocation. Fields of default value are left out, as proto3 does.
 */

/** Bytes of an unsigned varint up to 2^53. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

/** Bytes of an int64 or uint64: a negative one takes ten. */
export function integerSize(value: number | bigint): number {
  if (value < 0) return 10;
  if (typeof value === 'number') return varintSize(value);
  let size = 1;
  for (let rest = value; rest >= 0x80n; rest >>= 7n) size += 1;
  return size;
}

/** Bytes of a length-delimited field with a one-byte tag. */
export function fieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Bytes of a string field with a one-byte tag; 0 for the empty string, which is left out. */
export function stringFieldSize(text: string): number {
  return text === '' ? 0 : fieldSize(Buffer.byteLength(text));
}

/** Writes into a buffer of exactly the computed size. */
export class WireWriter {
  readonly buffer: Buffer;
  at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.at] = (rest % 128) | 0x80;
      this.at += 1;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.at] = rest;
    this.at += 1;
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) {
      this.varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.buffer[this.at] = Number(rest & 0x7fn) | 0x80;
      this.at += 1;
      rest >>= 7n;
    }
    this.buffer[this.at] = Number(rest);
    this.at += 1;
  }

  /** The head of a length-delimited field: tag and length. */
  head(field: number, length: number): void {
    this.buffer[this.at] = (field << 3) | 2;
    this.at += 1;
    this.varint(length);
  }

  /** A string field, also when it is empty. */
  string(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.head(field, length);
    this.at += this.buffer.write(text, this.at);
  }

  /** A string field, left out when it is empty. */
  optionalString(field: number, text: string): void {
    if (text !== '') this.string(field, text);
  }

  bytes(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** The entries of a map<string, InferParameter> field. */
  parameters(field: number, parameters: InferParameters | undefined): void {
    if (parameters === undefined) return;
    for (const [key, parameter] of parameters) {
      const inner = parameterSize(parameter);
      this.head(field, stringFieldSize(key) + fieldSize(inner));
      this.optionalString(1, key);
      this.head(2, inner);
      this.parameter(parameter);
    }
  }

  private parameter(parameter: InferParameter): void {
    switch (parameter.kind) {
      case 'none':
        return;
      case 'bool':
        this.varint((1 << 3) | 0);
        this.varint(parameter.value ? 1 : 0);
        return;
      case 'int64':
        this.varint((2 << 3) | 0);
        this.integer(parameter.value);
        return;
      case 'string':
        this.string(3, parameter.value);
        return;
      case 'double':
        this.varint((4 << 3) | 1);
        this.at = this.buffer.writeDoubleLE(parameter.value, this.at);
        return;
      case 'uint64':
        this.varint((5 << 3) | 0);
        this.integer(parameter.value);
    }
  }
}

/** Bytes of an InferParameter. Members of a oneof are written even when they hold the default. */
function parameterSize(parameter: InferParameter): number {
  switch (parameter.kind) {
    case 'none':
      return 0;
    case 'bool':
      return 2;
    case 'int64':
    case 'uint64':
      return 1 + integerSize(parameter.value);
    case 'double':
      return 9;
    default:
      return fieldSize(Buffer.byteLength(parameter.value));
  }
}

/** Bytes of the entries of a map<string, InferParameter> field with a one-byte tag. */
export function parametersSize(parameters: InferParameters | undefined): number {
  let size = 0;
  if (parameters === undefined) return size;
  for (const [key, parameter] of parameters) {
    size += fieldSize(stringFieldSize(key) + fieldSize(parameterSize(parameter)));
  }
  return size;
}
