import { ShoalError } from '@shoal/core';
import { createHash, timingSafeEqual } from 'node:crypto';

/** Where a caller's key may be: what every call knows of its headers. */
export interface Headers {
  /** A header's first value, by lower-case name. */
  header(name: string): string | undefined;
}

const howTo = "send it as 'authorization: Bearer KEY' or as 'x-api-key: KEY' in the call's metadata";

/**
 * The SHA-256 of the key that a call brings; undefined when it brings none. The key itself goes no further.
 * @throws ShoalError UNAUTHENTICATED for an `authorization` of another kind, and for an empty key.
 */
export function digestOfKey(call: Headers): Buffer | undefined {
  const authorization = call.header('authorization');
  if (authorization === undefined) {
    const key = call.header('x-api-key')?.trim();
    // Nobody's, also where a file has the digest of nothing, as scripts without their variable make it.
    if (key === '') throw unknownKey();
    return key === undefined ? undefined : sha256(key);
  }
  const bearer = /^bearer +(\S+) *$/i.exec(authorization);
  if (bearer?.[1] === undefined) {
    throw new ShoalError('UNAUTHENTICATED', `this server takes keys only, no other kind of authorization: ${howTo}`);
  }
  return sha256(bearer[1]);
}

export function missingKey(): ShoalError {
  return new ShoalError('UNAUTHENTICATED', `this server needs a key: ${howTo}`);
}

export function unknownKey(): ShoalError {
  return new ShoalError('UNAUTHENTICATED', `the key is not known to this server, or not any more: ${howTo}`);
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Values by digest. Finding one takes the same time whatever part of the digest is right. */
export class DigestMap<T> {
  readonly #byPrefix = new Map<number, { readonly digest: Buffer; readonly value: T }[]>();

  set(digest: Buffer, value: T): void {
    const prefix = digest.readUInt32BE(0);
    const entry = { digest, value };
    const others = this.#byPrefix.get(prefix);
    if (others) others.push(entry);
    else this.#byPrefix.set(prefix, [entry]);
  }

  /** The first bytes only narrow it down: nobody can choose a key by its digest. All of it is compared in constant time. */
  get(digest: Buffer): T | undefined {
    let found: T | undefined;
    for (const entry of this.#byPrefix.get(digest.readUInt32BE(0)) ?? []) {
      if (timingSafeEqual(entry.digest, digest)) found = entry.value;
    }
    return found;
  }
}
