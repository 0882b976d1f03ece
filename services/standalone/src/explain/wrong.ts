import { ShoalError } from '@shoal/core';

/** What the user gave cannot be. */
export function wrong(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
