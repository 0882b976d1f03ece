import { type FlagTable, parseFlags } from '@shoal/config';
import { ShoalError } from '@shoal/core';
import { expiryExpected, expiryOf } from '@shoal/router';
import { createHash, randomInt } from 'node:crypto';

/** What `shoal key` can be told. */
export const keyFlags = {
  id: {
    name: 'id',
    type: 'string',
    default: '',
    value: 'NAME',
    help: 'What the key is called in the file and in the audit log; it is part of the key and no secret. Empty: made by chance.',
  },
  expires: {
    name: 'expires',
    type: 'string',
    default: '',
    value: 'DATE',
    help: 'From when on it is refused, as 2027-01-31 or 2027-01-31T12:00:00Z. Empty: never.',
  },
} as const satisfies FlagTable;

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 62^43 > 2^256. */
const secretLength = 43;

/** What `key` needs of the process around it. */
export interface KeyShell {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For the caller to keep: the only place that the key is ever written to. */
  print(text: string): void;
}

/** Makes a key and shows it once, with what belongs into the auth file. @throws ShoalError INVALID_ARGUMENT */
export function key(argv: readonly string[], shell: KeyShell): number {
  const config = parseFlags(keyFlags, { argv, env: shell.env });
  if (!/^[\w.@-]{0,64}$/.test(config.id)) {
    throw new ShoalError('INVALID_ARGUMENT', `--id=${config.id}: expected up to 64 letters, digits and . _ @ -`);
  }
  const { expires } = config;
  if (expires !== '' && expiryOf(expires) === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', `--expires=${expires}: expected ${expiryExpected}`);
  }
  const id = config.id === '' ? random(8) : config.id;
  const made = `shoal_${id}_${random(secretLength)}`;
  const sha256 = createHash('sha256').update(made).digest('hex');
  const entry = JSON.stringify({ id, sha256, ...(expires !== '' && { expires }) });
  shell.print(`The key, shown this once; whoever has it sends it as 'authorization: Bearer KEY':

  ${made}

What belongs into "keys" of its tenant in the --auth-file; the key cannot be found out from it:

  ${entry}
`);
  return 0;
}

function random(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}
