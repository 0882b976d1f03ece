import { ShoalError } from '@shoal/core';
import type { ClientStream, Metadata, MethodDefinition, RpcClient } from '@shoal/rpc';
import type { NextRequest, OpenSender } from './sender';

/** What a stream's message says of the request that it answers. */
export interface StreamAnswer {
  /** The request's slot; -1 when the message does not say: then it is that of the oldest open request. */
  readonly slot: number;
  readonly error: string | undefined;
}

export interface StreamSenderOptions {
  /** A passthrough client. */
  readonly client: RpcClient;
  readonly method: MethodDefinition<Buffer, Buffer>;
  readonly next: NextRequest;
  /** Streams over which the slots are spread: slot i goes to stream i modulo this. */
  readonly streams: number;
  readonly readAnswer: (message: Buffer) => StreamAnswer;
  /** Of each stream. */
  readonly headers?: Metadata;
}

/** Sends requests as messages of a few long streams. A stream that ends fails its open requests; the next one opens it anew. */
export function streamSender(options: StreamSenderOptions): OpenSender {
  return (ended) => {
    const lanes = Array.from({ length: options.streams }, () => new Lane(options, ended));
    return {
      send: (slot) => (lanes[slot % lanes.length] as Lane).send(slot),
      close: () => lanes.forEach((lane) => lane.close()),
    };
  };
}

/** One stream and the slots that wait for its answers, oldest first. */
class Lane {
  readonly #options: StreamSenderOptions;
  readonly #ended: (slot: number, error: ShoalError | undefined) => void;
  readonly #open = new Set<number>();
  #stream: ClientStream<Buffer, Buffer> | undefined;

  constructor(options: StreamSenderOptions, ended: (slot: number, error: ShoalError | undefined) => void) {
    this.#options = options;
    this.#ended = ended;
  }

  send(slot: number): void {
    this.#stream ??= this.#connect();
    this.#open.add(slot);
    this.#stream.write(this.#options.next(slot));
  }

  close(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (this.#open.size === 0) stream?.end();
    else stream?.cancel();
  }

  #connect(): ClientStream<Buffer, Buffer> {
    const { client, method, readAnswer, headers } = this.#options;
    const stream = client.stream(method, headers ? { headers } : {});
    stream.onMessage((message) => {
      const answer = readAnswer(message);
      const slot = this.#open.has(answer.slot) ? answer.slot : this.#open.values().next().value;
      if (slot === undefined) return;
      this.#open.delete(slot);
      this.#ended(slot, answer.error === undefined ? undefined : new ShoalError('UNKNOWN', answer.error));
    });
    stream.onEnd((error) => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      const lost = [...this.#open];
      this.#open.clear();
      for (const slot of lost) this.#ended(slot, error ?? new ShoalError('UNAVAILABLE', 'the server ended the stream'));
    });
    return stream;
  }
}
