import { ShoalError } from '@shoal/core';

/** What a client sent wrong. */
export function invalid(text: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', text);
}

/** A client's text within a message. */
export function quoted(text: string): string {
  return `'${text.length > 128 ? `${text.slice(0, 128)}…` : text}'`;
}
