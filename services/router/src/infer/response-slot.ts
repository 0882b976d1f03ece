import type { ShoalError } from '@shoal/core';
import type { RequestTrace } from '../tracing/request-trace';
import type { InferCall } from './infer-call';
import type { RequestLine } from './request-log';

/** A request's place in a stream's order of answers. */
export interface ResponseSlot {
  /** While it runs. */
  infer: InferCall | undefined;
  /** What to send when its turn comes: a serialised ModelStreamInferResponse. */
  response: Buffer | undefined;
  /** The stream ends with this when its turn comes. */
  fatal: ShoalError | undefined;
  /** Held on its behalf: those of the request, then those of the response. */
  bytes: number;
  /** Undefined: it is not recorded. */
  trace: RequestTrace | undefined;
  /** Its line in the log; undefined: nobody wants it. */
  line: RequestLine | undefined;
}

/** A first-in, first-out line of slots and the bytes that they hold. */
export class SlotLine {
  #slots: ResponseSlot[] = [];
  #head = 0;
  bytes = 0;

  get size(): number {
    return this.#slots.length - this.#head;
  }

  get first(): ResponseSlot | undefined {
    return this.#slots[this.#head];
  }

  append(bytes: number): ResponseSlot {
    const slot: ResponseSlot = {
      infer: undefined,
      response: undefined,
      fatal: undefined,
      bytes,
      trace: undefined,
      line: undefined,
    };
    this.#slots.push(slot);
    this.bytes += bytes;
    return slot;
  }

  /** The slot holds `bytes` from now on. */
  resize(slot: ResponseSlot, bytes: number): void {
    this.bytes += bytes - slot.bytes;
    slot.bytes = bytes;
  }

  removeFirst(): void {
    const slot = this.first;
    if (!slot) return;
    this.bytes -= slot.bytes;
    this.#head += 1;
    // Amortised: each slot is moved at most once for each time that the line doubles.
    if (this.#head >= 64 && this.#head * 2 >= this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Empties the line, giving back what was in it. */
  clear(): ResponseSlot[] {
    const left = this.#slots.slice(this.#head);
    this.#slots = [];
    this.#head = 0;
    this.bytes = 0;
    return left;
  }
}
