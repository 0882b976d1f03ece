import { ShoalError } from '@shoal/core';

/** What every refusal of a config is: the user's to mend. */
export function invalid(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
