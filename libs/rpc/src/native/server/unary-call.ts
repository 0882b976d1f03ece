import { ShoalError } from '@shoal/core';
import { isPromise } from '../../promise';
import type { UnaryHandler } from '../../server';
import { ServerCall } from './server-call';

/** One message in, one out. */
export class UnaryCall extends ServerCall {
  #request: Buffer | null = null;

  override received(message: Buffer, compressed: boolean): void {
    this.requestCompressed = compressed;
    if (this.#request === null) this.#request = message;
    else this.unreadable(secondRequest(this.path));
  }

  override receivedAll(): void {
    const request = this.#request;
    if (request === null) {
      this.unreadable(noRequest(this.path));
      return;
    }
    this.#request = null;
    this.#run(request);
  }

  override onWritable(): void {
    // One answer needs no pace.
  }

  #run(request: Buffer): void {
    try {
      const { codec } = this.route;
      const handler = this.route.handler as UnaryHandler<unknown, unknown>;
      const result: unknown = handler(codec.decode(request), this);
      if (!isPromise(result)) this.#succeed(result);
      else {
        this.hold();
        result.then(
          (value) => this.#settled(value),
          (thrown: unknown) => this.#failed(thrown),
        );
      }
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #settled(value: unknown): void {
    this.release();
    try {
      this.#succeed(value);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #failed(thrown: unknown): void {
    this.release();
    this.fail(thrown);
  }

  #succeed(value: unknown): void {
    if (this.isOver) return;
    const bytes = this.route.codec.encode(value);
    if (!this.settle('OK')) return;
    this.writeMessage(bytes);
    this.writeStatus(null);
  }
}

export function secondRequest(path: string): ShoalError {
  return new ShoalError('UNIMPLEMENTED', `Received a second request message for server streaming method ${path}`);
}

export function noRequest(path: string): ShoalError {
  return new ShoalError('UNIMPLEMENTED', `Received no request message for server streaming method ${path}`);
}
