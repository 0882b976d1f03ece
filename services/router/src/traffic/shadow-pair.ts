import { type Clock, type ShoalError, toShoalError } from '@shoal/core';
import type { InferListener } from '../infer/infer-call';
import type { InferPlan } from '../requests/infer-plan';
import type { FailureOrigin, PendingRequest, Waiter } from '../requests/pending-request';
import type { RequestTable } from '../requests/request-table';
import { type AnswerDifference, compareAnswers } from './compare-answers';
import type { ShadowCounters } from './counters';
import type { ShadowBounds } from './shadow-bounds';
import type { Tolerance } from './traffic-rules';

/** A shadow version that takes longer has failed. */
const shadowTimeoutMs = 60_000;

export interface ShadowPairParts {
  readonly table: RequestTable;
  readonly clock: Clock;
  readonly bounds: ShadowBounds;
  readonly counters: ShadowCounters;
  readonly tolerance: Tolerance;
  /** Of the shadow request. */
  readonly plan: InferPlan;
  readonly replan: () => InferPlan;
  /** With which it was counted in. */
  readonly bytes: number;
}

/**
 * A request and its copy for the shadow version. Listens to the request on behalf of who asked, who is told everything at once
 * and first; the answers are compared when both are there, in a later turn.
 */
export class ShadowPair implements InferListener {
  readonly #listener: InferListener;
  readonly #parts: ShadowPairParts;
  readonly #startedAt: number;
  #bytes: number;
  #pending: PendingRequest | undefined;
  #primary: Buffer | undefined;
  #primaryMs = 0;
  #shadow: Buffer | undefined;
  #shadowMs = 0;
  #over = false;

  constructor(listener: InferListener, parts: ShadowPairParts) {
    this.#listener = listener;
    this.#parts = parts;
    this.#bytes = parts.bytes;
    this.#startedAt = parts.clock.now();
  }

  /** Sends the copy, once the request itself is on its way. Never throws: the request has nothing to do with its copy's trouble. */
  launch(): void {
    if (this.#over) return;
    const { table, plan, replan, counters } = this.#parts;
    counters.sent += 1;
    const waiter: Waiter = {
      answered: (response) => this.#shadowAnswered(Buffer.from(response.buffer, response.byteOffset, response.length)),
      failed: () => this.#end('failed'),
      allocate: (length) => Buffer.allocUnsafeSlow(length),
      replan,
    };
    try {
      this.#pending = table.submit(plan, waiter, this.#startedAt + shadowTimeoutMs);
    } catch {
      this.#end('failed');
    }
  }

  answered(response: Buffer, _done: boolean): void {
    // Not done with the message: it is the shadow's too, and so is not used again but left to the collector.
    this.#listener.answered(response, false);
    if (this.#over) return;
    if (!this.#grow(response.length)) return;
    this.#primary = response;
    this.#primaryMs = this.#elapsed();
    this.#compareSoon();
  }

  failed(error: ShoalError, origin: FailureOrigin): void {
    this.#listener.failed(error, origin);
    this.abandon();
  }

  /** Not the carrier's memory, which is used again as soon as the answer is sent. */
  allocate(length: number): Buffer {
    return Buffer.allocUnsafeSlow(length);
  }

  /** The request failed, or nobody waits for it: there is nothing to compare with. */
  abandon(): void {
    this.#end('abandoned');
  }

  #shadowAnswered(response: Buffer): void {
    this.#pending = undefined;
    if (this.#over || !this.#grow(response.length)) return;
    this.#shadow = response;
    this.#shadowMs = this.#elapsed();
    this.#compareSoon();
  }

  #grow(bytes: number): boolean {
    if (!this.#parts.bounds.grow(bytes)) {
      this.#end('dropped');
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  #compareSoon(): void {
    if (!this.#primary || !this.#shadow) return;
    // The client's answer is written first.
    this.#parts.clock.schedule(0, () => this.#compare());
  }

  #compare(): void {
    if (this.#over || !this.#primary || !this.#shadow) return;
    const { counters, tolerance } = this.#parts;
    let found: AnswerDifference | undefined;
    try {
      found = compareAnswers(this.#primary, this.#shadow, tolerance);
    } catch (thrown) {
      found = { output: '', reason: toShoalError(thrown).message, largest: undefined };
    }
    counters.primaryMs += this.#primaryMs;
    counters.shadowMs += this.#shadowMs;
    counters.compared += 1;
    if (found) note(counters, found);
    this.#end(found ? 'different' : 'equal');
  }

  #end(outcome: 'equal' | 'different' | 'failed' | 'dropped' | 'abandoned'): void {
    if (this.#over) return;
    this.#over = true;
    const { bounds, counters, table } = this.#parts;
    counters[outcome] += 1;
    if (this.#pending) table.cancel(this.#pending);
    this.#pending = undefined;
    this.#primary = undefined;
    this.#shadow = undefined;
    bounds.leave(this.#bytes);
  }

  #elapsed(): number {
    return this.#parts.clock.now() - this.#startedAt;
  }
}

function note(counters: ShadowCounters, { output, reason, largest }: AnswerDifference): void {
  counters.largestDifference = Math.max(counters.largestDifference, largest ?? 0);
  if (counters.different > 0) return;
  counters.firstOutput = output;
  counters.firstReason = reason;
}
