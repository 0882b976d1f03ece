import type { ErrorCode } from '@shoal/core';
import type { Batch } from './batch';
import type { Ticket } from './ticket';

/** Why a request failed, for its client and for the counters. */
export interface Rejection {
  readonly code: ErrorCode;
  readonly message: string;
  /** 'model': the run failed; 'queue': it never ran. */
  readonly origin: 'model' | 'queue';
  /** When to try again, in milliseconds from now, where that is known. */
  readonly retryMs?: number;
  /**
   * retired: the queue takes no more; size: too many rows; full: too much waits; overload: what waits takes
   * too long; timeout, deadline: waited for too long; late: its
   * deadline leaves less time than a run takes; refused: no runner took it; model: the model failed.
   */
  readonly reason: 'retired' | 'size' | 'full' | 'overload' | 'timeout' | 'deadline' | 'late' | 'refused' | 'model';
}

/**
 * How a request ended, exactly once each. answered: its runner ran it and has sent the answer; rejected: tell its
 * client; cancelled: nobody waits for it; lost: its runner is gone, and whoever offered it decides what next.
 */
export type Settlement = 'answered' | 'rejected' | 'cancelled' | 'lost';

/**
 * What the scheduler wants done. It is in the middle of a decision when it calls, so these must not call it back before
 * they return; and it relies on them not to throw.
 */
export interface SchedulerActions<T> {
  /** Give this batch to its runner. */
  dispatch(batch: Batch<T>): void;
  /** The request is over; `rejection` is given with 'rejected' alone. */
  settle(ticket: Ticket<T>, settlement: Settlement, rejection: Rejection | undefined): void;
  /** Send a tick at this time, or as soon after as possible. Takes the place of the time asked for before. */
  wakeAt(time: number): void;
  /** The retired queue is empty and forgotten. */
  queueDrained(key: string): void;
}
