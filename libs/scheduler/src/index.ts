export type { Rejection, SchedulerActions, Settlement } from './actions';
export type { Batch, BatchReason } from './batch';
export type { ModelQueue } from './model-queue';
export {
  type QueueBounds,
  type QueuePolicy,
  type TimeoutPolicy,
  defaultBackgroundBatchMs,
  defaultBounds,
  patientTimeout,
  queuePolicy,
} from './policy';
export type { BatchResult } from './run-outcome';
export { Scheduler } from './scheduler';
export type { Runner } from './runner';
export type { OfferFacts, Ticket, TicketState } from './ticket';
