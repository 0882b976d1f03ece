import { ShoalError } from '@shoal/core';

/** A client whose deadline passes ends the call by its own clock, a moment earlier or later than it passes here. */
const deadlineSlackMs = 10;
const expired = new ShoalError('DEADLINE_EXCEEDED', 'Deadline Exceeded');
const cancelled = new ShoalError('CANCELLED', 'the client does not wait for the answer any more');

/** Whether a client that leaves does so because its deadline has passed. @param deadline Clock time, ms; Infinity = none. */
export function leftLate(deadline: number, now: number): boolean {
  return now + deadlineSlackMs >= deadline;
}

/** Why nobody waits for a request any more. @param deadline Clock time, ms; undefined = none. */
export function abandonment(deadline: number | undefined, now: number): ShoalError {
  return deadline !== undefined && leftLate(deadline, now) ? expired : cancelled;
}
