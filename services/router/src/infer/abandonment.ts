import { ShoalError } from '@shoal/core';

/** A client whose deadline passes ends the call by its own clock, a moment earlier or later than it passes here. */
const deadlineSlackMs = 10;
const expired = new ShoalError('DEADLINE_EXCEEDED', 'Deadline Exceeded');
const cancelled = new ShoalError('CANCELLED', 'the client does not wait for the answer any more');

/** Why nobody waits for a request any more. @param deadline Clock time, ms; undefined = none. */
export function abandonment(deadline: number | undefined, now: number): ShoalError {
  return deadline !== undefined && now + deadlineSlackMs >= deadline ? expired : cancelled;
}
