import { ShoalError } from '@shoal/core';

/*
 * The raw form of a BYTES tensor: element after element, each a uint32 length (little-endian) and that many bytes,
 * without padding.
 */

/** What a walk over the elements found. Positions and sizes in bytes. */
export type ByteElements =
  | { readonly ok: true; readonly count: number }
  /** Fewer than 4 bytes are left where an element should begin. */
  | { readonly ok: false; readonly fault: 'length'; readonly count: number; readonly available: number }
  /** An element claims more bytes than are left. */
  | {
      readonly ok: false;
      readonly fault: 'data';
      readonly count: number;
      readonly expected: number;
      readonly available: number;
    }
  /** More elements than `limit`. */
  | { readonly ok: false; readonly fault: 'limit'; readonly count: number };

/** Reads the uint32 at `at`; the caller has checked that four bytes are there. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** Walks the framing without touching the elements. `count` = whole elements before the end or the fault. */
export function walkByteElements(bytes: Uint8Array, limit = Number.MAX_SAFE_INTEGER): ByteElements {
  const end = bytes.length;
  let at = 0;
  let count = 0;
  while (at < end) {
    if (end - at < 4) return { ok: false, fault: 'length', count, available: end - at };
    if (count >= limit) return { ok: false, fault: 'limit', count };
    const length = lengthAt(bytes, at);
    at += 4;
    if (length > end - at) return { ok: false, fault: 'data', count, expected: length, available: end - at };
    at += length;
    count += 1;
  }
  return { ok: true, count };
}

function refuseFrame(element: number): never {
  throw new ShoalError('INVALID_ARGUMENT', `BYTES element ${element} is incomplete: its length runs past the end`);
}

/** Calls `visit` for each element's place in `bytes`; throws INVALID_ARGUMENT where the framing is broken. */
export function forEachByteElement(
  bytes: Uint8Array,
  visit: (start: number, end: number, element: number) => void,
): void {
  const end = bytes.length;
  let at = 0;
  let element = 0;
  while (at < end) {
    if (end - at < 4) refuseFrame(element);
    const length = lengthAt(bytes, at);
    const start = at + 4;
    if (length > end - start) refuseFrame(element);
    visit(start, start + length, element);
    at = start + length;
    element += 1;
  }
}

/** The elements as views into `bytes`, no copy. Throws INVALID_ARGUMENT on broken framing. */
export function decodeByteElements(bytes: Uint8Array): Uint8Array[] {
  const elements: Uint8Array[] = [];
  forEachByteElement(bytes, (start, end) => elements.push(bytes.subarray(start, end)));
  return elements;
}

/** The raw form of `elements`: one allocation. */
export function encodeByteElements(elements: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const element of elements) size += 4 + element.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const element of elements) {
    view.setUint32(at, element.length, true);
    bytes.set(element, at + 4);
    at += 4 + element.length;
  }
  return bytes;
}

/** Bytes of the raw form of `strings` in UTF-8. */
export function stringsByteSize(strings: readonly string[]): number {
  let size = 0;
  for (const text of strings) size += 4 + Buffer.byteLength(text);
  return size;
}

/** The raw form of `strings` in UTF-8: one allocation. A lone surrogate becomes U+FFFD, as everywhere in JavaScript. */
export function encodeStrings(strings: readonly string[]): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(stringsByteSize(strings));
  let at = 0;
  for (const text of strings) {
    const length = bytes.write(text, at + 4);
    bytes.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return bytes;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Why these bytes cannot be a string of ONNX Runtime for Node; undefined when they can. */
export function stringFault(text: string, bytes: Uint8Array): 'NUL' | 'UTF-8' | undefined {
  if (text.includes('\0')) return 'NUL';
  if (!text.includes('\ufffd')) return undefined;
  try {
    strict.decode(bytes);
    return undefined;
  } catch {
    return 'UTF-8';
  }
}

/**
 * The elements as strings for ONNX Runtime, appended to `into`. Its Node binding takes JavaScript strings and ends
 * each at the first NUL, so an element that is not valid UTF-8 or holds a NUL cannot pass through unchanged: it is
 * refused with INVALID_ARGUMENT, never altered silently.
 */
export function decodeStrings(bytes: Uint8Array, into: string[] = []): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  forEachByteElement(bytes, (start, end, element) => {
    const text = buffer.toString('utf8', start, end);
    const fault = stringFault(text, buffer.subarray(start, end));
    if (fault !== undefined) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        fault === 'NUL'
          ? `BYTES element ${element} holds a NUL byte, which ONNX Runtime's strings cannot carry`
          : `BYTES element ${element} is not valid UTF-8, which ONNX Runtime's strings require`,
      );
    }
    into.push(text);
  });
  return into;
}
