import type { ShoalError } from '@shoal/core';
import { Latencies } from './latencies';

/** Which requests belong to the measured window: those that ended in it, or those meant to be sent in it. */
export type CountedBy = 'end' | 'intention';

/** Failures of one status. */
export interface Failures {
  count: number;
  /** What the first one said. */
  readonly example: string;
}

/** Behind its intended time by more than this, a send is late: twenty times what an idle generator needs. */
export const lateMs = 1;

/** Counts the requests of one measured window. */
export class Recorder {
  /** From the intended send to the answer: what a user who came at that time waited. */
  readonly fromIntended = new Latencies();
  /** From the actual send to the answer. */
  readonly fromSent: Latencies;
  readonly failures = new Map<string, Failures>();
  late = 0;
  /** All ends so far, in the window or not: for progress. */
  ended = 0;
  readonly #by: CountedBy;
  #from = Number.POSITIVE_INFINITY;
  #to = Number.POSITIVE_INFINITY;

  constructor(by: CountedBy) {
    this.#by = by;
    // Where requests are due when they are sent, one histogram says both.
    this.fromSent = by === 'end' ? this.fromIntended : new Latencies();
  }

  /** The window begins. Times are those of the drivers' clock, in milliseconds. */
  begin(at: number): void {
    this.#from = at;
  }

  end(at: number): void {
    this.#to = at;
  }

  /** A request ended; `intended` equals `sent` in a closed loop. */
  record(intended: number, sent: number, ended: number, error: ShoalError | undefined): void {
    this.ended += 1;
    const key = this.#by === 'end' ? ended : intended;
    if (key < this.#from || key >= this.#to) return;
    if (sent - intended > lateMs) this.late += 1;
    if (error === undefined) {
      this.fromIntended.record(ended - intended);
      if (this.fromSent !== this.fromIntended) this.fromSent.record(ended - sent);
    } else this.#fail(error.code, error.message, 1);
  }

  /** Requests that were never answered, by the time that they were meant to be sent. */
  unanswered(intended: number): void {
    if (this.#by === 'end' || intended < this.#from || intended >= this.#to) return;
    this.#fail('UNANSWERED', 'no answer came before the load generator stopped waiting', 1);
  }

  #fail(status: string, example: string, count: number): void {
    const failures = this.failures.get(status);
    if (failures === undefined) this.failures.set(status, { count, example });
    else failures.count += count;
  }
}
