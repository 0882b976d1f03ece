import type { StreamCall } from '@shoal/rpc';
import { InferStream, type StreamLimits } from './infer-stream';
import type { Inference } from './inference';

/** All ModelStreamInfer calls that are open. */
export class InferStreams {
  readonly #inference: Inference;
  readonly #limits: StreamLimits;
  readonly #open = new Set<InferStream>();
  #draining = false;

  constructor(inference: Inference, limits: StreamLimits) {
    this.#inference = inference;
    this.#limits = limits;
  }

  handle(call: StreamCall<Buffer, Buffer>): void {
    const stream: InferStream = new InferStream(call, this.#inference, this.#limits, () => this.#open.delete(stream));
    this.#open.add(stream);
    if (this.#draining) stream.drain();
  }

  /** Ends every stream once it has answered what it accepted. */
  drain(): void {
    this.#draining = true;
    for (const stream of [...this.#open]) stream.drain();
  }
}
