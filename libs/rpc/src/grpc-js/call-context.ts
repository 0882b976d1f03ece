import type { Deadline, Metadata } from '@grpc/grpc-js';
import { type Clock, type ErrorCode, systemClock } from '@shoal/core';
import type { EventEmitter } from 'node:events';
import type { Metadata as CallMetadata } from '../metadata';
import type { CallContext, CallMeter } from '../server';
import { toGrpcJs } from './metadata';

/** What grpc-js gives of every call that a server answers. */
export interface GrpcJsCall extends EventEmitter {
  readonly metadata: Metadata;
  getPath(): string;
  getPeer(): string;
  getDeadline(): Deadline;
  sendMetadata(metadata: Metadata): void;
}

/** A grpc-js call as a handler sees it. `over` marks the moment after which a cancellation is no news. */
export class GrpcJsCallContext implements CallContext {
  readonly path: string;
  readonly deadline: number | undefined;
  readonly #call: GrpcJsCall;
  readonly #clock: Clock;
  readonly #meter: CallMeter | undefined;
  readonly #startedAt: number;
  #cancelled = false;
  #over = false;
  #onCancel: (() => void) | undefined;
  #headers: Metadata | undefined;
  #headersSent = false;
  #trailers: Metadata | undefined;

  constructor(call: GrpcJsCall, clock: Clock, meter: CallMeter | undefined) {
    this.#call = call;
    this.#clock = clock;
    this.#meter = meter;
    this.#startedAt = meter === undefined ? 0 : clock.now();
    this.path = call.getPath();
    this.deadline = onClock(call.getDeadline(), clock);
    // grpc-js says 'cancelled' at the end of every call, whatever its status.
    call.once('cancelled', () => this.cancel());
  }

  get peer(): string {
    return this.#call.getPeer();
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Answered or cancelled: nothing more can be said. */
  get isOver(): boolean {
    return this.#over;
  }

  header(name: string): string | undefined {
    const value = name.endsWith('-bin') ? undefined : this.#call.metadata.get(name)[0];
    return typeof value === 'string' ? value : undefined;
  }

  binaryHeader(name: string): Buffer | undefined {
    const value = name.endsWith('-bin') ? this.#call.metadata.get(name)[0] : undefined;
    return typeof value === 'string' ? undefined : value;
  }

  setHeaders(metadata: CallMetadata): void {
    if (!this.#headersSent) this.#headers = toGrpcJs(metadata, this.#headers);
  }

  setTrailers(metadata: CallMetadata): void {
    this.#trailers = toGrpcJs(metadata, this.#trailers);
  }

  get requestCompressed(): undefined {
    return undefined;
  }

  compressResponses(): void {
    // grpc-js's servers have no way to.
  }

  recycle(): void {
    // grpc-js's buffers are its own.
  }

  allocate(length: number): Buffer {
    return Buffer.allocUnsafeSlow(length);
  }

  onCancel(cancelled: () => void): void {
    this.#onCancel = cancelled;
    if (this.#cancelled) queueMicrotask(cancelled);
  }

  /** Before the first message, or before the status of a call without one: the handler's own headers, if it has any. */
  protected sendHeaders(): void {
    if (this.#headersSent) return;
    this.#headersSent = true;
    if (this.#headers) this.#call.sendMetadata(this.#headers);
  }

  /** What goes with the status. */
  protected get trailers(): Metadata | undefined {
    return this.#trailers;
  }

  /** The call has its status: true the first time, unless it was cancelled before. */
  finish(code: ErrorCode | 'OK'): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#meter?.ended(code, this.#clock.now() - this.#startedAt);
    return true;
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    if (this.finish('CANCELLED')) this.tellCancelled();
  }

  /** Tells the handler that its answer would reach nobody. */
  protected tellCancelled(): void {
    this.#cancelled = true;
    this.#onCancel?.();
  }
}

/** grpc-js keeps deadlines in epoch milliseconds of real time; ours are on the server's clock. */
function onClock(deadline: Deadline, clock: Clock): number | undefined {
  const epochMs = deadline instanceof Date ? deadline.getTime() : deadline;
  return Number.isFinite(epochMs) ? clock.now() + (epochMs - systemClock.epochMs()) : undefined;
}
