import type { ShoalError } from '@shoal/core';

/**
 * Sends requests in numbered slots, one request in each slot at a time, so that a request's state is an index and
 * nothing is allocated for it.
 */
export interface Sender {
  /** Sends the slot’s next request. Its end is told to the `Ended` callback. */
  send(slot: number): void;
  /** Gives up what is open. */
  close(): void;
}

/** A request's end: without an error it was answered. */
export type Ended = (slot: number, error: ShoalError | undefined) => void;

/** The bytes of the next request of a slot. */
export type NextRequest = (slot: number) => Buffer;

/** Opens a sender that reports to `ended`. */
export type OpenSender = (ended: Ended) => Sender;
