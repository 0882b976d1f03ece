import { byteLengthOf } from '../bytes';
import { type Sink, utf8Size, varintSize } from './sink';

/**
 * Counts what messages will take, and notes the lengths (of strings, packed numbers and nested messages) that the
 * writer needs before it writes their contents.
 */
export class ByteCounter implements Sink {
  /** In the order in which the writer meets them. */
  readonly lengths: number[] = [];
  size = 0;
  /** Open nested messages: where their length goes, and the size when they began. */
  readonly #slots: number[] = [];
  readonly #starts: number[] = [];

  uint(_field: number, value: number): void {
    if (value !== 0) this.size += 1 + varintSize(checked(value));
  }

  double(_field: number, value: number): void {
    if (value !== 0) this.size += 9;
  }

  flag(_field: number, value: boolean): void {
    if (value) this.size += 2;
  }

  string(field: number, value: string): void {
    if (value !== '') this.element(field, value);
  }

  element(_field: number, value: string): void {
    this.#add(utf8Size(value));
  }

  bytes(_field: number, value: Uint8Array | readonly Uint8Array[]): void {
    const length = byteLengthOf(value);
    if (length > 0) this.#add(length);
  }

  uints(_field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    let length = 0;
    for (const value of values) length += varintSize(checked(value));
    this.#add(length);
  }

  open(_field: number): void {
    this.#slots.push(this.lengths.push(0) - 1);
    this.#starts.push(this.size);
  }

  close(): void {
    const length = this.size - (this.#starts.pop() ?? 0);
    this.lengths[this.#slots.pop() ?? 0] = length;
    this.size += 1 + varintSize(length);
  }

  /** Forgets what was begun since `size` bytes and `lengths` lengths: a message that could not be counted. */
  rewind(size: number, lengths: number): void {
    this.size = size;
    this.lengths.length = lengths;
    this.#slots.length = 0;
    this.#starts.length = 0;
  }

  #add(length: number): void {
    this.lengths.push(length);
    this.size += 1 + varintSize(length) + length;
  }
}

function checked(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`a link message holds ${value} where a whole number from 0 to 2^53-1 belongs`);
}
