import type { ShoalError } from '@shoal/core';
import type { ClientStream } from '@shoal/rpc';

/** One stream of our client, read message by message. */
export class Conversation<Req, Res> {
  readonly stream: ClientStream<Req, Res>;
  readonly #received: Res[] = [];
  #end: { readonly error: ShoalError | undefined } | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: ClientStream<Req, Res>) {
    this.stream = stream;
    stream.onMessage((message) => {
      this.#received.push(message);
      this.#wake?.();
    });
    stream.onEnd((error) => {
      this.#end = { error };
      this.#wake?.();
    });
  }

  send(...requests: Req[]): this {
    for (const request of requests) this.stream.write(request);
    return this;
  }

  /** The next message. @throws The status, or an Error when the stream ended with OK. */
  async next(): Promise<Res> {
    while (this.#received.length === 0 && !this.#end) await this.#news();
    const message = this.#received.shift();
    if (message !== undefined) return message;
    throw this.#end?.error ?? new Error('the stream has ended');
  }

  /** All further messages up to the end. @throws The status, unless it is OK. */
  async rest(): Promise<readonly Res[]> {
    while (!this.#end) await this.#news();
    if (this.#end.error) throw this.#end.error;
    return this.#received.splice(0);
  }

  #news(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}
