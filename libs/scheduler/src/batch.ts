import type { ModelQueue } from './model-queue';
import type { Runner } from './runner';
import type { Ticket } from './ticket';

/**
 * Why a batch left when it did. alone: the model does not batch; solo: its request must be alone; full: it could not
 * grow (largest size reached, or the next request does not fit); preferred: a preferred size was reached; knee: a larger one would hardly be faster by the row; deadline: a larger one would be too
 * late for one of them; idle: a runner
 * was idle and no delay is configured; delay: its oldest request has waited for as long as is allowed; retry: part of a
 * batch that failed or was refused; background: nothing else waited.
 */
export type BatchReason =
  | 'alone'
  | 'solo'
  | 'full'
  | 'preferred'
  | 'knee'
  | 'deadline'
  | 'idle'
  | 'delay'
  | 'retry'
  | 'background';

/** Requests that run together on one runner. Read-only for everybody but the scheduler. */
export interface Batch<T = unknown> {
  /** Unique among the batches of one scheduler. */
  readonly id: number;
  readonly queue: ModelQueue<T>;
  readonly runner: Runner<T>;
  /** Member 0, 1, …; those cancelled meanwhile have the state 'settled'. */
  readonly members: readonly Ticket<T>[];
  /** Sum of the members' rows. */
  readonly rows: number;
  /** Sum of the members' bytes. */
  readonly bytes: number;
  readonly reason: BatchReason;
  readonly dispatchedAt: number;
}
