import { byteLengthOf } from '../bytes';
import { type Sink, shortString, wireBytes, wireFixed64, wireVarint } from './sink';

/** Writes messages into a buffer of exactly the size that was counted. */
export class ByteWriter implements Sink {
  readonly #buffer: Buffer;
  readonly #lengths: readonly number[];
  #nextLength = 0;
  #at = 0;

  constructor(buffer: Buffer, lengths: readonly number[]) {
    this.#buffer = buffer;
    this.#lengths = lengths;
  }

  uint(field: number, value: number): void {
    if (value === 0) return;
    this.#buffer[this.#at++] = (field << 3) | wireVarint;
    this.#varint(value);
  }

  double(field: number, value: number): void {
    if (value === 0) return;
    this.#buffer[this.#at++] = (field << 3) | wireFixed64;
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  flag(field: number, value: boolean): void {
    if (!value) return;
    this.#buffer[this.#at++] = (field << 3) | wireVarint;
    this.#buffer[this.#at++] = 1;
  }

  string(field: number, value: string): void {
    if (value !== '') this.element(field, value);
  }

  element(field: number, value: string): void {
    const length = this.#begin(field);
    if (length !== value.length || length > shortString) {
      this.#buffer.write(value, this.#at, length, 'utf8');
    } else {
      // As many bytes as characters: ASCII.
      for (let i = 0; i < length; i += 1) this.#buffer[this.#at + i] = value.charCodeAt(i);
    }
    this.#at += length;
  }

  bytes(field: number, value: Uint8Array | readonly Uint8Array[]): void {
    if (byteLengthOf(value) === 0) return;
    this.#begin(field);
    if (value instanceof Uint8Array) this.#piece(value);
    else for (const piece of value) this.#piece(piece);
  }

  uints(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.#begin(field);
    for (const value of values) this.#varint(value);
  }

  open(field: number): void {
    this.#begin(field);
  }

  close(): void {
    // Its length was written by `open`.
  }

  #piece(piece: Uint8Array): void {
    this.#buffer.set(piece, this.#at);
    this.#at += piece.byteLength;
  }

  /** Tag and length of what follows. */
  #begin(field: number): number {
    const length = this.#lengths[this.#nextLength++] ?? 0;
    this.#buffer[this.#at++] = (field << 3) | wireBytes;
    this.#varint(length);
    return length;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.#buffer[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }
}
