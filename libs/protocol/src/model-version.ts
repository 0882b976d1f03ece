import { badVersion } from './error-texts';

/** C's strtol as far as it matters: leading white space, a sign, digits; whatever follows them is not read. */
const leadingInteger = /^[ \t\n\v\f\r]*([+-]?\d+)/;

const maxInt64 = 2n ** 63n - 1n;

/**
 * The version that a request's model_version names, in canonical decimal digits; undefined = none named: serve the
 * latest. As Triton reads it: '1.5x' is version 1, '-1' is none. Throws INVALID_ARGUMENT for anything without leading
 * digits and for numbers beyond 64 bits.
 */
export function parseModelVersion(text: string): string | undefined {
  if (text === '') return undefined;
  const digits = leadingInteger.exec(text.slice(0, 64))?.[1];
  if (digits === undefined) throw badVersion(text);
  const version = BigInt(digits);
  if (version > maxInt64 || version < -maxInt64 - 1n) throw badVersion(text);
  return version === -1n ? undefined : version.toString();
}
