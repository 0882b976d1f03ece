import type { Metadata } from '@grpc/grpc-js';
import type { ShoalError } from '@shoal/core';
import { type Clock, statusNumbers, toShoalError } from '@shoal/core';
import { highWaterBytes } from '../defaults';
import type { MethodCodec } from '../method';
import { isPromise } from '../promise';
import type { CallMeter, StreamCall } from '../server';
import { statusMessage } from '../status';
import { GrpcJsCallContext, type GrpcJsCall } from './call-context';

/** Where a grpc-js call's messages come from; absent for calls with one request. */
export interface Incoming {
  on(event: 'data', receive: (bytes: Buffer) => void): unknown;
  on(event: 'end', ended: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** Where its answers go. */
export interface Outgoing {
  /** @param taken Called when the socket has taken the bytes. */
  write(bytes: Buffer, taken: () => void): void;
  end(error: { code: number; details: string } | undefined, trailers: Metadata | undefined): void;
}

/** A call with a stream in at least one direction, carried by grpc-js. */
export class GrpcJsStreamCall extends GrpcJsCallContext implements StreamCall<unknown, unknown> {
  readonly #codec: MethodCodec;
  readonly #incoming: Incoming | undefined;
  readonly #outgoing: Outgoing;
  readonly #report: (thrown: unknown) => void;
  readonly #ended: () => void;
  #buffered = 0;
  #drained: (() => void) | undefined;
  #full = false;

  constructor(
    call: GrpcJsCall,
    parts: {
      readonly clock: Clock;
      readonly meter: CallMeter | undefined;
      readonly codec: MethodCodec;
      readonly incoming: Incoming | undefined;
      readonly outgoing: Outgoing;
      /** Told of what is answered INTERNAL. */
      readonly report: (thrown: unknown) => void;
      /** Called once when the call has its status or is cancelled. */
      readonly ended: () => void;
    },
  ) {
    super(call, parts.clock, parts.meter);
    this.#codec = parts.codec;
    this.#incoming = parts.incoming;
    this.#outgoing = parts.outgoing;
    this.#report = parts.report;
    this.#ended = parts.ended;
  }

  get bufferedBytes(): number {
    return this.#buffered;
  }

  onMessage(receive: (message: unknown) => void): void {
    this.#incoming?.on('data', (bytes) => {
      if (this.isOver) return;
      this.attempt(() => receive(this.#codec.decode(bytes)));
    });
  }

  onEnd(ended: () => void): void {
    this.#incoming?.on('end', () => {
      if (!this.isOver) this.attempt(ended);
    });
  }

  pause(): void {
    this.#incoming?.pause();
  }

  resume(): void {
    this.#incoming?.resume();
  }

  write(message: unknown): boolean {
    if (this.isOver) return false;
    const bytes = this.#codec.encode(message);
    this.#buffered += bytes.byteLength;
    this.sendHeaders();
    this.#outgoing.write(bytes, () => this.#taken(bytes.byteLength));
    this.#full = this.#buffered >= highWaterBytes;
    return !this.#full;
  }

  onDrain(drained: () => void): void {
    this.#drained = drained;
  }

  end(error?: ShoalError): void {
    if (!this.finish(error?.code ?? 'OK')) return;
    this.sendHeaders();
    const status = error && { code: statusNumbers[error.code], details: statusMessage(error.message) };
    this.#outgoing.end(status, this.trailers);
    // The client may go on sending; nobody listens, but its window must not stay shut.
    this.#incoming?.resume();
    this.#ended();
  }

  abandon(error: ShoalError): void {
    if (this.isOver) return;
    this.end(error);
    this.tellCancelled();
  }

  /** Runs the handler; an asynchronous one ends the call when its promise fails. */
  run(handle: () => unknown): void {
    this.attempt(() => {
      const result = handle();
      if (isPromise(result)) result.then(undefined, (thrown: unknown) => this.#fail(thrown));
    });
  }

  /** Runs a callback of the handler's: what it throws ends the call. */
  attempt(handle: () => void): void {
    try {
      handle();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  override cancel(): void {
    if (this.isOver) return;
    this.#buffered = 0;
    super.cancel();
    this.#ended();
  }

  #fail(thrown: unknown): void {
    const error = toShoalError(thrown);
    if (error !== thrown) this.#report(thrown);
    this.end(error);
  }

  #taken(bytes: number): void {
    this.#buffered = Math.max(0, this.#buffered - bytes);
    if (!this.#full || this.#buffered >= highWaterBytes || this.isOver) return;
    this.#full = false;
    if (this.#drained) this.attempt(this.#drained);
  }
}
