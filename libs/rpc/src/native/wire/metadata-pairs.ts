import { ShoalError } from '@shoal/core';
import type { HeaderBlock } from '@shoal/http2';
import type { Metadata } from '../../metadata';

/** gRPC over HTTP/2, "Custom-Metadata": lower case, digits, `_`, `-`, `.`. */
const validName = /^[0-9a-z_.-]+$/;
/** Printable ASCII. */
const validText = /^[\x20-\x7e]*$/;
/** The protocol's own, which no user sets and no user is shown. */
const reserved = new Set([
  'accept-encoding',
  'content-length',
  'content-type',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-timeout',
  'te',
]);

/**
 * Appends metadata to header pairs.
 * @throws ShoalError INVALID_ARGUMENT for names and values that gRPC does not carry.
 */
export function appendMetadata(pairs: string[], metadata: Metadata): void {
  for (const [name, value] of Object.entries(metadata)) {
    if (!validName.test(name) || reserved.has(name)) {
      throw new ShoalError('INVALID_ARGUMENT', `'${name}' is no name of metadata`);
    }
    if (name.endsWith('-bin') !== (typeof value !== 'string')) {
      throw new ShoalError('INVALID_ARGUMENT', `metadata '${name}': names in -bin, and no others, have binary values`);
    }
    pairs.push(name, typeof value === 'string' ? text(name, value) : encodeBinary(value));
  }
}

/** Unpadded, as the specification asks of senders. */
function encodeBinary(value: Buffer): string {
  return value.toString('base64').replace(/=+$/, '');
}

function text(name: string, value: string): string {
  if (!validText.test(value)) {
    throw new ShoalError('INVALID_ARGUMENT', `metadata '${name}': its value is not of printable ASCII`);
  }
  // HTTP does not carry blanks at the ends; the specification lets us drop them.
  return value.trim();
}

/** The first value of a binary header: base64, padded or not; several values are joined by commas. */
export function decodeBinary(value: string): Buffer {
  const comma = value.indexOf(',');
  return Buffer.from(comma < 0 ? value : value.slice(0, comma), 'base64');
}

/** What a peer sent along, without what the protocol keeps for itself. Of a name's many texts all are kept, joined by commas. */
export function metadataOf(block: HeaderBlock): Metadata {
  const metadata: Record<string, string | Buffer> = {};
  for (const { name, value } of block.fields) {
    if (reserved.has(name)) continue;
    const before = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    if (name.endsWith('-bin')) define(metadata, name, before ?? decodeBinary(value));
    else define(metadata, name, before === undefined ? value : `${before.toString()},${value}`);
  }
  return metadata;
}

/** As an assignment, but for `__proto__`. */
function define(metadata: Record<string, string | Buffer>, name: string, value: string | Buffer): void {
  Object.defineProperty(metadata, name, { value, enumerable: true, writable: true, configurable: true });
}
