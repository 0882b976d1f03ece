import { type ErrorCode, statusNumbers } from '@shoal/core';
import type { Share } from '../carrier-messages';
import type { Cancel, Done, Hello, Reject } from '../messages';
import { malformed } from './wire-reader';

/** Numbers on the wire of the words in our messages: the enums of link.proto. */
export const roles = ['UNSPECIFIED', 'router', 'batching', 'runner'] as const satisfies readonly (
  | Hello['role']
  | Unset
)[];
export const reasons = ['UNSPECIFIED', 'cancelled', 'deadline'] as const satisfies readonly (
  | Cancel['reason']
  | Unset
)[];
export const origins = ['UNSPECIFIED', 'model', 'queue'] as const satisfies readonly (Reject['origin'] | Unset)[];
export const outcomes = ['UNSPECIFIED', 'ok', 'failed', 'refused'] as const satisfies readonly (
  | Done['outcome']
  | Unset
)[];
export const shareStates = ['UNSPECIFIED', 'offered', 'opened', 'refused'] as const satisfies readonly (
  | Share['state']
  | Unset
)[];

type Unset = 'UNSPECIFIED';

const codes: ErrorCode[] = [];
for (const [name, number] of Object.entries(statusNumbers)) codes[number] = name as ErrorCode;

/** The error code of a google.rpc.Code; numbers that have none are UNKNOWN. */
export function codeOf(number: number): ErrorCode {
  return codes[number] ?? 'UNKNOWN';
}

/** The word of an enum number. @throws ShoalError DATA_LOSS when it has none. */
export function word<W extends string>(words: readonly (W | Unset)[], number: number, what: string): W {
  const found = number === 0 ? undefined : words[number];
  if (found === undefined) throw malformed(`${what} ${number} is not known`);
  return found as W;
}
