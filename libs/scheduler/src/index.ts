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
export type { RateLimits, ResourceNeed, RunnerPlace } from './rate-limiter';
export type { BatchResult } from './run-outcome';
export { Scheduler } from './scheduler';
export type { Runner } from './runner';
export type { OfferFacts, Ticket, TicketState } from './ticket';
export { LogHistogram } from './simulation/log-histogram';
export { type ModelProfile, type ProfilePoint, lineThrough, readProfile } from './simulation/model-profile';
export type { SimulationOutcome, Slice } from './simulation/outcome';
export { RunTimes } from './simulation/run-times';
export { type Objective, type RunnersNeeded, meets, runnersNeeded } from './simulation/runners-needed';
export { Simulation, type SimulationOptions } from './simulation/simulation';
export { type Bursts, burstyArrivals, dailyArrivals, recordedArrivals } from './simulation/traffic';
