import type { BatchFacts } from '@shoal/link';
import type { HeapItem, ShoalError } from '@shoal/core';
import type { RequestTrace } from '../tracing/request-trace';
import type { AnswerLine, HeldAnswer } from './answer-order';
import type { InferPlan } from './infer-plan';

/**
 * Where a request stands. unrouted: no batching instance can be reached; resting: offered again in a moment; queued: its
 * offer is with batching; held: batching named a runner to which no link is open yet; sent: its bytes are with a runner;
 * answered: its answer waits for those before it; settled: its waiter was told.
 */
export type PendingState = 'unrouted' | 'resting' | 'queued' | 'held' | 'sent' | 'answered' | 'settled';

/** Why a request failed. model: the run did; queue: batching refused it; router: time, links or the end of the server. */
export type FailureOrigin = 'model' | 'queue' | 'router';

/** Who waits for a request; one of `answered` and `failed` is called, once, unless the request is cancelled. */
export interface Waiter {
  /**
   * A whole serialised ModelInferResponse.
   * @param done Nobody reads the request's bytes any more.
   * @param computeUs Its share of the run, in microseconds.
   */
  answered(response: Uint8Array, done: boolean, computeUs: number): void;
  failed(error: ShoalError, origin: FailureOrigin): void;
  /** Memory for an answer that is to be copied. */
  allocate(length: number): Buffer;
  /** The queue it was offered to is gone: a plan for the version that has taken its place. Throws like a new request. */
  replan(): InferPlan;
}

/** A request that the router has accepted and not yet answered: it keeps the bytes until then. */
export class PendingRequest implements HeapItem {
  readonly waiter: Waiter;
  /** Clock time, ms. */
  readonly acceptedAt: number;
  /** Clock time, ms; Infinity = it waits for ever. */
  readonly deadline: number;
  /** Undefined: it is not recorded. */
  readonly trace: RequestTrace | undefined;
  plan: InferPlan;
  state: PendingState = 'resting';
  /** Of the offer that stands. */
  offerId = 0;
  /** Offers made to a batching instance that was lost: a runner may still answer them. */
  orphans: number[] | undefined;
  /** The instance it was offered to. */
  batching = '';
  /** Its place, while held or sent. */
  runner = '';
  batchId = 0;
  member = 0;
  /** Of its batch, where the client asked. */
  facts: BatchFacts | undefined;
  /** Runners are not trusted to reach that memory any more: bytes go by way of the router. */
  indirect = false;
  /** Runners that were lost with it, and did not come back. */
  losses = 0;
  /** The last of them. */
  lostRunner = '';
  /** Where answers have an order. */
  line: AnswerLine | undefined;
  /** While answered. */
  held: HeldAnswer | undefined;
  /** Times it came back without having run. */
  returns = 0;
  /** When to look at it again: its deadline, or earlier; Infinity = never. */
  heapKey = Infinity;
  /** The heap's. */
  heapIndex = -1;

  constructor(plan: InferPlan, waiter: Waiter, acceptedAt: number, deadline: number, trace: RequestTrace | undefined) {
    this.plan = plan;
    this.waiter = waiter;
    this.acceptedAt = acceptedAt;
    this.deadline = deadline;
    this.trace = trace;
  }
}
