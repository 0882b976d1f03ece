export type { Rejection, SchedulerActions, Settlement } from './actions';
export type { Batch, BatchReason } from './batch';
export type { LatencyCurve } from './latency/latency-model';
export { type BucketCurve, LatencyTable } from './latency/latency-table';
export type { ModelQueue } from './model-queue';
export {
  type QueueBounds,
  type QueuePolicy,
  type TimeoutPolicy,
  defaultBackgroundBatchMs,
  defaultBatchEfficiency,
  defaultBounds,
  patientTimeout,
  queuePolicy,
} from './policy';
export type { BatchResult } from './run-outcome';
export { Scheduler } from './scheduler';
export type { Runner } from './runner';
export type { OfferFacts, Ticket, TicketState } from './ticket';
