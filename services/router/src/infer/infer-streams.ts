import type { CancelTimer, Clock } from '@shoal/core';
import type { StreamCall } from '@shoal/rpc';
import type { Caller } from '../access/caller';
import { InferStream, type StreamLimits } from './infer-stream';
import type { Inference } from './inference';

/** For so long streams are read on after a drain has begun: short ones end by themselves, and are answered in full. */
const noticeMs = 1_000;

/** All ModelStreamInfer calls that are open. */
export class InferStreams {
  readonly #inference: Inference;
  readonly #limits: StreamLimits;
  readonly #clock: Clock;
  readonly #open = new Set<InferStream>();
  #draining = false;
  #cancelNotice: CancelTimer | undefined;

  constructor(inference: Inference, limits: StreamLimits, clock: Clock) {
    this.#inference = inference;
    this.#limits = limits;
    this.#clock = clock;
  }

  handle(call: StreamCall<Buffer, Buffer>, caller: Caller | undefined): void {
    const closed = () => this.#open.delete(stream);
    const stream: InferStream = new InferStream(call, caller, this.#inference, this.#limits, closed);
    this.#open.add(stream);
    if (this.#draining) stream.drain();
  }

  /** Ends every stream, when its client has had a moment to end it, once it has answered what it accepted. */
  drain(): void {
    this.#cancelNotice ??= this.#clock.schedule(noticeMs, () => {
      this.#draining = true;
      for (const stream of [...this.#open]) stream.drain();
    });
  }

  /** All have ended. */
  close(): void {
    this.#cancelNotice?.();
  }
}
