import { ShoalError } from '@shoal/core';
import { highWaterBytes } from '../../defaults';
import { isPromise } from '../../promise';
import type { ServerStreamHandler, StreamCall, StreamHandler } from '../../server';
import { ServerCall } from './server-call';
import { noRequest, secondRequest } from './unary-call';

/** A call with a stream in at least one direction. */
export class NativeStreamCall extends ServerCall implements StreamCall<unknown, unknown> {
  /** Of a call with one request, until it has come to its end. */
  #request: Buffer | null = null;
  /** Of a call with one response, until the handler ends it. */
  #response: Buffer | null = null;
  #receive: ((message: unknown) => void) | null = null;
  #ended: (() => void) | null = null;
  #drained: (() => void) | null = null;
  #full = false;
  #paused = false;

  /** Runs the handler of a stream of requests: it begins before the first has come. */
  begin(): void {
    // Nothing is read before there is a receiver.
    this.reader.pause();
    const handler = this.route.handler as StreamHandler<unknown, unknown>;
    this.#run(() => handler(this));
  }

  // ---- StreamCall

  onMessage(receive: (message: unknown) => void): void {
    this.#receive = receive;
    if (!this.#paused) this.reader.resume();
  }

  onEnd(ended: () => void): void {
    this.#ended = ended;
  }

  onDrain(drained: () => void): void {
    this.#drained = drained;
  }

  pause(): void {
    this.#paused = true;
    this.reader.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#receive !== null) this.reader.resume();
  }

  write(message: unknown): boolean {
    if (this.isOver) return false;
    const bytes = this.route.codec.encode(message);
    if (!this.route.responseStream) {
      this.#response = bytes;
      return true;
    }
    this.writeMessage(bytes);
    this.#full = this.bufferedBytes >= highWaterBytes;
    return !this.#full;
  }

  end(error?: ShoalError): void {
    if (this.isOver) return;
    if (error === undefined && !this.route.responseStream && this.#response === null) {
      error = new ShoalError('INTERNAL', 'internal error');
    }
    this.settle(error?.code ?? 'OK');
    if (error === undefined && this.#response !== null) this.writeMessage(this.#response);
    this.#response = null;
    this.writeStatus(error ?? null);
  }

  // ---- what comes from the client

  override received(message: Buffer, compressed: boolean): void {
    this.requestCompressed = compressed;
    if (!this.route.requestStream) {
      if (this.#request === null) this.#request = message;
      else this.unreadable(secondRequest(this.path));
      return;
    }
    try {
      this.#receive?.(this.route.codec.decode(message));
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  override receivedAll(): void {
    if (this.route.requestStream) {
      const ended = this.#ended;
      if (ended !== null) this.#attempt(ended);
      return;
    }
    const request = this.#request;
    if (request === null) {
      this.unreadable(noRequest(this.path));
      return;
    }
    this.#request = null;
    const handler = this.route.handler as ServerStreamHandler<unknown, unknown>;
    this.#run(() => handler(this.route.codec.decode(request), this as unknown as StreamCall<never, unknown>));
  }

  override onWritable(): void {
    if (!this.#full || this.isOver || this.bufferedBytes >= highWaterBytes) return;
    this.#full = false;
    const drained = this.#drained;
    if (drained !== null) this.#attempt(drained);
  }

  /** Runs the handler; an asynchronous one ends the call when its promise fails. */
  #run(handle: () => unknown): void {
    this.#attempt(() => {
      const result = handle();
      if (!isPromise(result)) return;
      this.hold();
      result.then(
        () => this.release(),
        (thrown: unknown) => {
          this.fail(thrown);
          this.release();
        },
      );
    });
  }

  /** Runs a callback of the handler's: what it throws ends the call. */
  #attempt(handle: () => unknown): void {
    try {
      handle();
    } catch (thrown) {
      this.fail(thrown);
    }
  }
}
