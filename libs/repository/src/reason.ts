import { type ErrorCode, type ShoalError } from '@shoal/core';

const tritonsWords: Partial<Record<ErrorCode, string>> = {
  UNKNOWN: 'Unknown',
  INTERNAL: 'Internal',
  NOT_FOUND: 'Not found',
  INVALID_ARGUMENT: 'Invalid argument',
  UNAVAILABLE: 'Unavailable',
  UNIMPLEMENTED: 'Unsupported',
  ALREADY_EXISTS: 'Already exists',
  CANCELLED: 'Cancelled',
};

/** The reason shown for a version that did not come up: Triton's name of the code, then the message. */
export function loadReason(error: ShoalError): string {
  return `${tritonsWords[error.code] ?? 'Internal'}: ${error.message}`;
}
