import { ShoalError } from '@shoal/core';
import { JetStreamApiError } from '@nats-io/jetstream';
import { textOf } from './settings';

/** JetStream's code for a compare-and-set that was overtaken. */
const wrongLastSequence = 10071;

/** Whether a write failed because another was faster. */
export function isOvertaken(thrown: unknown): boolean {
  return thrown instanceof JetStreamApiError && thrown.code === wrongLastSequence;
}

/** No connection, or JetStream does not answer on it. */
export function storeAway(thrown?: unknown): ShoalError {
  const why = thrown === undefined ? 'NATS cannot be reached' : `JetStream does not answer (${textOf(thrown)})`;
  const text = `${why}, so nothing can be changed; what is loaded goes on. Try again when NATS is back`;
  return new ShoalError('UNAVAILABLE', text, { cause: thrown });
}
