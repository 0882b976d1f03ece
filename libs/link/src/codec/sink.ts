/**
 * Takes a message's fields in protobuf's terms. There are two: one counts bytes, the other writes them; every message
 * is described once (`put-*.ts`) and told to both. Fields with their default value are left out. Field numbers are
 * below 16, so a tag is one byte.
 */
export interface Sink {
  /** @throws RangeError when the number is no whole number from 0 to 2^53-1: a bug of the sender's. */
  uint(field: number, value: number): void;
  double(field: number, value: number): void;
  flag(field: number, value: boolean): void;
  string(field: number, value: string): void;
  /** Pieces are written one after the other. */
  bytes(field: number, value: Uint8Array | readonly Uint8Array[]): void;
  /** Packed. */
  uints(field: number, values: readonly number[]): void;
  /** One element of a repeated string: written even when empty. */
  element(field: number, value: string): void;
  /** Begins a nested message, written even when empty; `close` ends it. */
  open(field: number): void;
  close(): void;
}

/** Wire types of protobuf. */
export const wireVarint = 0;
export const wireFixed64 = 1;
export const wireBytes = 2;
export const wireFixed32 = 5;

/** Bytes of a varint, for whole numbers from 0 to 2^53-1. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let size = 5;
  for (let rest = value / 2 ** 35; rest >= 1; rest /= 128) size += 1;
  return size;
}

/** Strings up to this length are walked in JavaScript: quicker than a call into C++ when they are ASCII. */
export const shortString = 48;

/** Bytes of a string in UTF-8. */
export function utf8Size(text: string): number {
  if (text.length > shortString || !isAscii(text)) return Buffer.byteLength(text);
  return text.length;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) >= 0x80) return false;
  }
  return true;
}
