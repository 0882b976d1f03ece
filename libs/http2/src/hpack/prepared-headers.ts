import { ShoalError } from '@shoal/core';

/**
 * Names and values in turn: `['grpc-status', '0', 'x-trace', 'abc']`. Fields that differ from call to call are given this way and
 * are sent without touching the peer's table.
 */
export type HeaderPairs = readonly string[];

/** A header list made once and sent often: after the first time on a connection it costs a byte or two per field. */
export class PreparedHeaders {
  readonly pairs: HeaderPairs;
  /** No encoding of it is longer, in bytes. */
  readonly maxBytes: number;

  constructor(pairs: HeaderPairs) {
    this.pairs = [...pairs];
    this.maxBytes = measurePairs(pairs);
  }
}

const validName = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Outside latin1's printable characters, or blank at either end (RFC 9113 §8.2.1). */
const invalidValue = /[^\t\x20-\x7e\x80-\xff]|^[ \t]|[ \t]$/;
/** Around each literal: its first octet and two string lengths of up to four octets. */
const literalOverhead = 9;

/** Upper bound of the encoded size of `pairs` in bytes; throws INVALID_ARGUMENT for what must not be sent. */
export function measurePairs(pairs: HeaderPairs): number {
  let bytes = 0;
  if (pairs.length % 2 !== 0) throw new ShoalError('INVALID_ARGUMENT', 'a header name is without a value');
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i]!;
    const value = pairs[i + 1]!;
    if (!validName.test(name)) throw new ShoalError('INVALID_ARGUMENT', `invalid header name '${name}'`);
    if (invalidValue.test(value)) throw new ShoalError('INVALID_ARGUMENT', `invalid value of header '${name}'`);
    bytes += name.length + value.length + literalOverhead;
  }
  return bytes;
}
