import { ShoalError } from '@shoal/core';
import type { CallContext } from '@shoal/rpc';
import { timingSafeEqual } from 'node:crypto';
import { sha256 } from './credentials';
import { type Group, groupOf, tritonGroups } from './groups';

/** A header that calls of a group must bring. */
interface Restriction {
  readonly header: string;
  /** SHA-256 of its value. */
  readonly digest: Buffer;
}

/**
 * Triton's `--grpc-restricted-protocol=<protocols>:<key>=<value>`: calls of these groups need the header
 * `triton-grpc-protocol-<key>` with that value, whoever makes them.
 */
export class Restrictions {
  readonly #byGroup = new Map<Group, Restriction>();

  /** @throws ShoalError INVALID_ARGUMENT, with Triton's words for what Triton refuses. */
  constructor(values: readonly string[]) {
    for (const value of joined(values)) {
      const parts = /^([^:]*):([^=]*)=([^]*)$/.exec(value);
      // The value is a secret: it is not repeated.
      if (!parts) throw wrong("option format is '<protocols>:<key>=<value>'");
      const [, protocols = '', key = '', secret = ''] = parts;
      if (!/^[\w.-]+$/.test(key))
        throw wrong(`expected letters, digits and . _ - for the key, got '${key.slice(0, 100)}'`);
      if (secret === '') throw wrong(`the value of '${key}' is empty`);
      const restriction = { header: `triton-grpc-protocol-${key.toLowerCase()}`, digest: sha256(secret) };
      for (const protocol of protocols.split(',')) this.#add(protocol, restriction);
    }
  }

  get none(): boolean {
    return this.#byGroup.size === 0;
  }

  /** Whether calls of this path need a header. */
  concern(path: string): boolean {
    return this.#byGroup.has(groupOf(path));
  }

  /** @throws ShoalError UNAVAILABLE, as Triton, for a call without its header. */
  check(call: CallContext): void {
    const restriction = this.#byGroup.get(groupOf(call.path));
    if (!restriction) return;
    const value = call.header(restriction.header);
    if (value !== undefined && timingSafeEqual(sha256(value), restriction.digest)) return;
    throw new ShoalError('UNAVAILABLE', `This protocol is restricted, expecting header '${restriction.header}'`);
  }

  #add(protocol: string, restriction: Restriction): void {
    const group = tritonGroups.find((name) => name === protocol);
    if (!group)
      throw wrong(`unknown restricted protocol '${protocol.slice(0, 100)}': there are ${tritonGroups.join(', ')}`);
    if (this.#byGroup.has(group)) {
      throw wrong(`restricted protocol '${group}' can not be specified in multiple config groups`);
    }
    this.#byGroup.set(group, restriction);
  }
}

/** An environment variable's values are split at commas, which are also between protocols: what has no colon goes on. */
function joined(values: readonly string[]): string[] {
  const whole: string[] = [];
  let open = '';
  for (const value of values) {
    open += value;
    if (open.includes(':')) {
      whole.push(open);
      open = '';
    } else open += ',';
  }
  return open === '' ? whole : [...whole, open];
}

function wrong(text: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `--grpc-restricted-protocol: ${text}`);
}
