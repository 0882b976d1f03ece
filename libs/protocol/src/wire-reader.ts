import { constants, isUtf8 } from 'node:buffer';
import { ShoalError } from '@shoal/core';

/** Protobuf wire types. 3 and 4 are groups, which no message of ours has. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** 2^32, the weight of a 64-bit value's upper half. */
const upper = 4294967296;

/**
 * Reads protobuf's wire format from a slice of a message, field by field, without copying. Everything is checked
 * against the slice's end; every failure is a ShoalError INVALID_ARGUMENT that says in which message and at which
 * byte, so that hostile bytes can do no more than be refused.
 *
 * Sub-messages are read by the same reader: `const outer = reader.enter(); … reader.leave(outer);`.
 */
export class WireReader {
  readonly buffer: Buffer;
  /** Next byte to read. */
  at: number;
  /** Behind the last byte of the (sub-)message being read. */
  end: number;
  /** Lower and upper 32 bits of the last `varint64`, unsigned. */
  low = 0;
  high = 0;
  /** Entries of parameter maps read so far. */
  parameters = 0;
  /** What is being read, for error texts. */
  where: string;

  constructor(buffer: Buffer, where: string, start = 0, end = buffer.length) {
    this.buffer = buffer;
    this.at = start;
    this.end = end;
    this.where = where;
  }

  fail(problem: string): never {
    throw new ShoalError('INVALID_ARGUMENT', `malformed ${this.where}: ${problem} at byte ${this.at}`);
  }

  /** The next field's tag (number << 3 | wire type), 0 at the end of the (sub-)message. */
  tag(): number {
    if (this.at >= this.end) return 0;
    const first = this.buffer[this.at] as number;
    if (first < 0x80) this.at += 1;
    const tag = first < 0x80 ? first : this.varint32('field tag');
    if (tag >>> 3 === 0) this.fail('field number 0');
    return tag;
  }

  /** A varint of at most 32 bits in at most 5 bytes: tags and lengths. */
  varint32(what: string): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= this.end) this.fail(`truncated ${what}`);
      const byte = this.buffer[this.at] as number;
      this.at += 1;
      if (shift === 28 && byte > 0x0f) this.fail(`${what} of more than 32 bits`);
      value = (value | ((byte & 0x7f) << shift)) >>> 0;
      if (byte < 0x80) return value;
    }
    return this.fail(`${what} of more than 32 bits`);
  }

  /** A varint of at most 64 bits in at most 10 bytes, into `low` and `high`. */
  varint64(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) this.fail('truncated number');
      const byte = this.buffer[this.at] as number;
      this.at += 1;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else if (byte > 1) this.fail('number of more than 64 bits');
      else high |= bits << 31;
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
  }

  /** Eight little-endian bytes into `low` and `high`. */
  fixed64(): void {
    if (this.end - this.at < 8) this.fail('truncated 8-byte number');
    this.low = this.buffer.readUInt32LE(this.at);
    this.high = this.buffer.readUInt32LE(this.at + 4);
    this.at += 8;
  }

  /** Four little-endian bytes into `low`. */
  fixed32(): void {
    if (this.end - this.at < 4) this.fail('truncated 4-byte number');
    this.low = this.buffer.readUInt32LE(this.at);
    this.high = 0;
    this.at += 4;
  }

  double(): number {
    if (this.end - this.at < 8) this.fail('truncated 8-byte number');
    this.at += 8;
    return this.buffer.readDoubleLE(this.at - 8);
  }

  bool(): boolean {
    this.varint64();
    return (this.low | this.high) !== 0;
  }

  /** `low` and `high` as an int64: a number where that is exact, else a bigint. */
  signed(): number | bigint {
    const value = (this.high | 0) * upper + this.low;
    return Number.isSafeInteger(value) ? value : (BigInt(this.high | 0) << 32n) | BigInt(this.low);
  }

  /** `low` and `high` as a uint64: a number where that is exact, else a bigint. */
  unsigned(): number | bigint {
    const value = this.high * upper + this.low;
    return Number.isSafeInteger(value) ? value : (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** A length prefix that has been checked against what is left. */
  length(what: string): number {
    const length = this.varint32(`length of ${what}`);
    if (length > this.end - this.at) {
      this.fail(`${what} claims ${length} bytes where ${this.end - this.at} are left`);
    }
    return length;
  }

  /** A length-delimited field as a view. */
  bytes(what: string): Buffer {
    const length = this.length(what);
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  /** A string field; protobuf strings are UTF-8, anything else is refused. */
  string(what: string): string {
    const length = this.length(what);
    if (length > constants.MAX_STRING_LENGTH) this.fail(`${what} of ${length} bytes is too long`);
    const start = this.at;
    const end = start + length;
    this.at = end;
    let index = start;
    while (index < end && (this.buffer[index] as number) < 0x80) index += 1;
    if (index === end) return this.buffer.toString('latin1', start, end);
    if (!isUtf8(this.buffer.subarray(start, end))) {
      this.at = start;
      this.fail(`${what} is not valid UTF-8`);
    }
    return this.buffer.toString('utf8', start, end);
  }

  /** Enters the length-delimited sub-message that begins here; returns the outer end for `leave`. */
  enter(what: string): number {
    const length = this.length(what);
    const outer = this.end;
    this.end = this.at + length;
    return outer;
  }

  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** Skips the value of an unknown field. */
  skip(tag: number): void {
    switch (tag & 7) {
      case wire.varint:
        this.varint64();
        return;
      case wire.fixed64:
        if (this.end - this.at < 8) this.fail('truncated 8-byte field');
        this.at += 8;
        return;
      case wire.bytes:
        this.bytes(`field ${tag >>> 3}`);
        return;
      case wire.fixed32:
        if (this.end - this.at < 4) this.fail('truncated 4-byte field');
        this.at += 4;
        return;
      default:
        this.fail(`field ${tag >>> 3} has the unsupported wire type ${tag & 7}`);
    }
  }
}
