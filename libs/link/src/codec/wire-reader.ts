import { ShoalError } from '@shoal/core';
import { wireBytes, wireFixed32, wireFixed64, wireVarint } from './sink';

/** What a frame that cannot be decoded leads to; the text is for logs. */
export function malformed(what: string): ShoalError {
  return new ShoalError('DATA_LOSS', `malformed link frame: ${what}`);
}

/** Reads protobuf fields from a frame, never beyond the message it is in. Everything it throws is a ShoalError. */
export class WireReader {
  readonly #buffer: Buffer;
  #at = 0;
  #end: number;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
    this.#end = buffer.length;
  }

  /** Whether the current message has another field. */
  more(): boolean {
    return this.#at < this.#end;
  }

  /** The next field's tag: number × 8 + wire type. */
  tag(): number {
    return this.uint();
  }

  /** A varint; beyond 2^53-1 is malformed, as nothing in the protocol is that large. */
  uint(): number {
    let value = this.#byte();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let scale = 128; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw malformed('a number above 2^53-1');
        return value;
      }
    }
    throw malformed('a number above 2^53-1');
  }

  double(): number {
    const at = this.#advance(8);
    return this.#buffer.readDoubleLE(at);
  }

  flag(): boolean {
    return this.uint() !== 0;
  }

  string(): string {
    const length = this.uint();
    const at = this.#advance(length);
    return this.#buffer.toString('utf8', at, at + length);
  }

  /** A string that is likely to be the one that came before it, and is not made again then. */
  stringLike(known: string | undefined): string {
    if (known === undefined) return this.string();
    const before = this.#at;
    const length = this.uint();
    const at = this.#advance(length);
    if (length === known.length) {
      let same = 0;
      for (let byte = this.#buffer[at]; same < length; byte = this.#buffer[at + same]) {
        // Other characters than ASCII's are more than one byte long.
        if (byte !== known.charCodeAt(same) || byte >= 0x80) break;
        same += 1;
      }
      if (same === length) return known;
    }
    this.#at = before;
    return this.string();
  }

  /** A view of the frame, not a copy. */
  bytes(): Buffer {
    const length = this.uint();
    const at = this.#advance(length);
    return this.#buffer.subarray(at, at + length);
  }

  /** Appends packed numbers. */
  uints(into: number[]): void {
    const outer = this.enter();
    while (this.more()) into.push(this.uint());
    this.leave(outer);
  }

  /** Enters a nested message; hand what it returns to `leave` once `more` says no. */
  enter(): number {
    const length = this.uint();
    const outer = this.#end;
    if (length > outer - this.#at) throw malformed('a field longer than its message');
    this.#end = this.#at + length;
    return outer;
  }

  leave(outer: number): void {
    this.#end = outer;
  }

  /** Passes over the value of a field that is not known. */
  skip(tag: number): void {
    switch (tag & 7) {
      case wireVarint:
        // An unknown number may be a negative one, in ten bytes.
        for (let i = 0; i < 10; i += 1) if (this.#byte() < 0x80) return;
        throw malformed('a number of more than ten bytes');
      case wireFixed64:
        this.#advance(8);
        return;
      case wireBytes:
        this.#advance(this.uint());
        return;
      case wireFixed32:
        this.#advance(4);
        return;
      default:
        throw malformed('an unknown wire type');
    }
  }

  #byte(): number {
    if (this.#at >= this.#end) throw malformed('it ends within a field');
    return this.#buffer[this.#at++] as number;
  }

  #advance(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw malformed('a field longer than its message');
    this.#at = at + length;
    return at;
  }
}

/** Reads a nested message of the current one. */
export function nested<T>(reader: WireReader, read: (reader: WireReader) => T): T {
  const outer = reader.enter();
  const value = read(reader);
  reader.leave(outer);
  return value;
}
