import { type ShoalError, toShoalError } from '@shoal/core';
import type { RouterMetrics } from '../metrics/router-metrics';
import type { InferPlan } from '../requests/infer-plan';
import type { FailureOrigin, PendingRequest, Waiter } from '../requests/pending-request';
import type { RequestTable } from '../requests/request-table';
import type { RequestTrace } from '../tracing/request-trace';
import { writeOutputs } from '../shared-memory/write-outputs';

/** Who asked; hears one of the two, once, unless the call is cancelled. */
export interface InferListener {
  /**
   * A whole serialised ModelInferResponse.
   * @param done Nobody reads the request's message any more.
   */
  answered(response: Buffer, done: boolean): void;
  failed(error: ShoalError, origin: FailureOrigin): void;
  /** Memory for a large response. */
  allocate(length: number): Buffer;
}

export interface InferCallParts {
  readonly table: RequestTable;
  readonly replan: () => InferPlan;
  /**
   * Gives back what was admitted; called once.
   * @param computeUs What it took of the model's time, in microseconds; 0 = unknown, or none.
   */
  readonly release: (computeUs: number) => void;
  /** Compares it with a shadow version, which is not needed when it is cancelled. */
  readonly pair: { abandon(): void } | undefined;
  readonly metrics: RouterMetrics | undefined;
}

/** One accepted request on its way, from admission to answer. */
export class InferCall implements Waiter {
  readonly #listener: InferListener;
  readonly #parts: InferCallParts;
  #pending: PendingRequest | undefined;
  #plan: InferPlan | undefined;
  #over = false;

  constructor(listener: InferListener, parts: InferCallParts) {
    this.#listener = listener;
    this.#parts = parts;
  }

  submit(plan: InferPlan, deadline: number, trace: RequestTrace | undefined): void {
    this.#plan = plan;
    this.#pending = this.#parts.table.submit(plan, this, deadline, trace);
  }

  replan(): InferPlan {
    this.#plan = this.#parts.replan();
    return this.#plan;
  }

  /** Nobody waits any more; the listener hears nothing. */
  cancel(): void {
    if (this.#over) return;
    if (this.#pending) this.#parts.table.cancel(this.#pending);
    this.#end(0);
    this.#parts.pair?.abandon();
  }

  answered(response: Uint8Array, done: boolean, computeUs: number): void {
    if (this.#over) return;
    let bytes: Buffer;
    try {
      bytes = this.#finish(asBuffer(response));
    } catch (thrown) {
      this.failed(toShoalError(thrown), 'model');
      return;
    }
    this.#end(computeUs);
    const { metrics } = this.#parts;
    if (metrics && this.#plan && this.#pending) {
      metrics.answered(this.#plan.version, this.#pending.acceptedAt, this.#pending.trace);
    }
    this.#listener.answered(bytes, done);
  }

  allocate(length: number): Buffer {
    return this.#listener.allocate(length);
  }

  failed(error: ShoalError, origin: FailureOrigin): void {
    if (this.#over) return;
    this.#end(0);
    this.#listener.failed(error, origin);
  }

  #finish(response: Buffer): Buffer {
    const plan = this.#plan;
    if (!plan?.regions || !plan.request.sharedMemoryOutputs) return response;
    return writeOutputs(response, plan.request, plan.version.signature, plan.regions);
  }

  #end(computeUs: number): void {
    this.#over = true;
    this.#parts.release(computeUs);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
