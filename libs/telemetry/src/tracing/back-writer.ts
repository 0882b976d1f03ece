/** What is certainly free after a check: the fixed parts of a field, with two varints. */
const slack = 64;

/**
 * Writes protobuf from the end of a buffer to its beginning: when a nested message is complete its length is known, and needs no room that
 * was guessed. Fields are therefore written in reverse order, and each value before its tag.
 */
export class BackWriter {
  /** What was written is `buffer` from `at` on. */
  buffer: Buffer;
  at: number;

  constructor(size = 4096) {
    this.buffer = Buffer.allocUnsafeSlow(size);
    this.at = size;
  }

  clear(): void {
    this.at = this.buffer.length;
  }

  /** To be called before anything but a string is written, `slack` bytes at most. */
  room(bytes = 0): void {
    if (this.at < bytes + slack) this.#grow(bytes + slack);
  }

  byte(value: number): void {
    this.buffer[--this.at] = value;
  }

  /** 0 … 2^53. */
  varint(value: number): void {
    if (value < 0x80) {
      this.buffer[--this.at] = value;
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
    this.at -= length;
    let to = this.at;
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[to++] = (rest & 0x7f) | 0x80;
      rest = rest < 0x8000_0000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.buffer[to] = rest;
  }

  /** Any whole number that a double holds. */
  int64(value: number): void {
    if (value >= 0) {
      this.varint(value);
      return;
    }
    // Two's complement in 64 bits is ten bytes long.
    let rest = BigInt.asUintN(64, BigInt(value));
    this.at -= 10;
    for (let n = 0; n < 9; n++) {
      this.buffer[this.at + n] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.at + 9] = Number(rest);
  }

  double(value: number): void {
    this.at -= 8;
    this.buffer.writeDoubleLE(value, this.at);
  }

  fixed32(value: number): void {
    const { buffer } = this;
    let at = (this.at -= 4);
    buffer[at++] = value;
    buffer[at++] = value >>> 8;
    buffer[at++] = value >>> 16;
    buffer[at] = value >>> 24;
  }

  /** A field that is already encoded. */
  field(bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.at < length + slack) this.#grow(length + slack);
    this.at -= length;
    const { buffer, at } = this;
    // A few bytes are quicker one by one.
    if (length > 64) buffer.set(bytes, at);
    else for (let n = 0; n < length; n++) buffer[at + n] = bytes[n]!;
  }

  /** A few bytes of another buffer. */
  bytes(from: Buffer, start: number, end: number): void {
    const { buffer } = this;
    let { at } = this;
    for (let n = end; n > start;) buffer[--at] = from[--n]!;
    this.at = at;
  }

  /** A string with its length and the tag before it. */
  string(tag: number, text: string): void {
    const { length } = text;
    if (this.at < length + slack) this.#grow(length + slack);
    const { buffer } = this;
    let { at } = this;
    let n = length;
    for (; n > 0; n--) {
      const code = text.charCodeAt(n - 1);
      if (code > 0x7f) break;
      buffer[--at] = code;
    }
    if (n > 0) {
      const bytes = Buffer.byteLength(text);
      this.room(bytes);
      this.at -= bytes;
      this.buffer.write(text, this.at);
      this.varint(bytes);
    } else {
      this.at = at;
      if (length < 0x80) this.buffer[--this.at] = length;
      else this.varint(length);
    }
    this.buffer[--this.at] = tag;
  }

  /** Bytes written so far: a mark for `close`. */
  get length(): number {
    return this.buffer.length - this.at;
  }

  /** Makes a message of all that was written since `mark`: its length, and the tag before it. */
  close(tag: number, mark: number): void {
    this.varint(this.length - mark);
    this.buffer[--this.at] = tag;
  }

  #grow(bytes: number): void {
    const written = this.buffer.length - this.at;
    const larger = Buffer.allocUnsafeSlow(2 * this.buffer.length + bytes);
    this.buffer.copy(larger, larger.length - written, this.at);
    this.buffer = larger;
    this.at = larger.length - written;
  }
}
