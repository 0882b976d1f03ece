import { ShoalError } from '@shoal/core';
import { createHash } from 'node:crypto';
import { maxBlobBytes, maxKeyBytes } from './state';

/** Somebody else wrote `key` since it was read. */
export function overtaken(key: string): ShoalError {
  return new ShoalError('ABORTED', `${key} was changed by somebody else meanwhile; look at it and try again`);
}

/** @throws ShoalError INVALID_ARGUMENT for a key that no store takes: a NATS server ends the connection over a subject that is too long. */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes <= maxKeyBytes) return;
  throw new ShoalError('INVALID_ARGUMENT', `a name has ${bytes} bytes, but at most ${maxKeyBytes} are taken`);
}

/** No blob has this digest. */
export function noBlob(digest: string): ShoalError {
  return new ShoalError('NOT_FOUND', `no file with the digest ${digest.slice(0, 12)}… is stored`);
}

/** The SHA-256 of a blob in hex. @throws ShoalError RESOURCE_EXHAUSTED for one that is too large. */
export function digestOf(bytes: Uint8Array): string {
  if (bytes.length > maxBlobBytes)
    throw new ShoalError(
      'RESOURCE_EXHAUSTED',
      `a file has ${bytes.length} bytes, but at most ${maxBlobBytes} are taken`,
    );
  return createHash('sha256').update(bytes).digest('hex');
}
