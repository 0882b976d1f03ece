import { ShoalError } from '@shoal/core';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Smaller texts go as they are. */
const compressFrom = 32 * 1024;
/** No text that would be larger is unpacked: what a small message can make us hold is bounded. */
const maxTextBytes = 64 * 1024 * 1024;
const compressed = 0x7a; // "z"; JSON begins with something else

/** JSON as bytes, packed when long. @throws ShoalError RESOURCE_EXHAUSTED, naming `what`, beyond `maxBytes`. */
export function toBytes(what: string, value: unknown, maxBytes: number): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  if (text.length > maxTextBytes) throw tooLarge(what, text.length, maxTextBytes);
  if (text.length < compressFrom) return text;
  const bytes = Buffer.concat([Buffer.of(compressed), deflateRawSync(text, { level: 1 })]);
  if (bytes.length > maxBytes) throw tooLarge(what, bytes.length, maxBytes);
  return bytes;
}

/** What `toBytes` was given. @throws Error for bytes that it never makes. */
export function fromBytes(bytes: Uint8Array): unknown {
  const text = bytes[0] === compressed ? inflateRawSync(bytes.subarray(1), { maxOutputLength: maxTextBytes }) : bytes;
  return JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8'));
}

function tooLarge(what: string, bytes: number, most: number): ShoalError {
  return new ShoalError('RESOURCE_EXHAUSTED', `${what} takes ${bytes} bytes on the bus, which carries at most ${most}`);
}
