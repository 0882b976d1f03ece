import { ShoalError, toShoalError } from '@shoal/core';
import { type InferRequestView, scanInferRequest, streamError, wrapStreamResponse } from '@shoal/protocol';
import type { StreamCall } from '@shoal/rpc';
import type { Caller } from '../access/caller';
import type { FailureOrigin } from '../requests/pending-request';
import type { Inference } from './inference';
import { type ResponseSlot, SlotLine } from './response-slot';

/** What one stream may hold before its client is held back. */
export interface StreamLimits {
  readonly requests: number;
  readonly bytes: number;
}

/**
 * One ModelStreamInfer call: many requests at a time, answers in the order of the requests, refusals in-band. With the
 * header `triton_grpc_error: true` a request that fails after it was accepted ends the stream with its status instead.
 */
export class InferStream {
  readonly #call: StreamCall<Buffer, Buffer>;
  readonly #caller: Caller | undefined;
  readonly #inference: Inference;
  readonly #limits: StreamLimits;
  readonly #grpcErrors: boolean;
  readonly #closed: () => void;
  readonly #line = new SlotLine();
  #paused = false;
  /** The carrier's buffer is full. */
  #blocked = false;
  /** Nothing more is read: half-closed, draining, or a message that was none. */
  #finished = false;
  /** The status that the stream ends with when all is answered. */
  #status: ShoalError | undefined;
  #over = false;

  /** @param closed Called once, when the stream has ended. */
  constructor(
    call: StreamCall<Buffer, Buffer>,
    caller: Caller | undefined,
    inference: Inference,
    limits: StreamLimits,
    closed: () => void,
  ) {
    this.#call = call;
    this.#caller = caller;
    this.#inference = inference;
    this.#limits = limits;
    this.#closed = closed;
    this.#grpcErrors = call.header('triton_grpc_error') === 'true';
    call.onCancel(() => this.#abandon());
    call.onDrain(() => {
      this.#blocked = false;
      this.#flush();
    });
    call.onMessage((message) => this.#received(message));
    call.onEnd(() => this.#finish());
  }

  /** Reads no more, answers what was accepted, then ends the stream. */
  drain(): void {
    if (this.#finished) return;
    this.#call.pause();
    this.#finish(new ShoalError('UNAVAILABLE', 'the server is shutting down'));
  }

  #received(message: Buffer): void {
    if (this.#finished) return;
    const slot = this.#line.append(message.length);
    let view: InferRequestView | undefined;
    try {
      view = scanInferRequest(message);
      this.#note(slot, view);
      this.#start(slot, view, message);
    } catch (thrown) {
      this.#refused(slot, view, thrown);
    }
    this.#flush();
  }

  /** Whether it is recorded, and has a line in the log. */
  #note(slot: ResponseSlot, view: InferRequestView | undefined): void {
    slot.trace = this.#inference.traces?.begin('stream', this.#call, view);
    slot.line = this.#inference.log.begin('ModelStreamInfer', view, this.#caller, slot.trace?.context);
  }

  #start(slot: ResponseSlot, view: InferRequestView, message: Buffer): void {
    const origin = {
      unary: false,
      message,
      deadline: this.#call.deadline,
      headers: this.#call,
      caller: this.#caller,
      trace: slot.trace,
      line: slot.line,
    };
    slot.infer = this.#inference.start(view, origin, {
      answered: (response) => {
        slot.trace?.completed();
        slot.line?.answered();
        this.#settle(slot, wrapStreamResponse(response));
      },
      failed: (error, failureOrigin) => this.#failed(slot, view, error, failureOrigin),
      // It is copied into its stream response.
      allocate: (length) => Buffer.allocUnsafeSlow(length),
    });
  }

  /** Found wrong before it was accepted. What is no message at all ends the stream: nothing after it can be trusted. */
  #refused(slot: ResponseSlot, view: InferRequestView | undefined, thrown: unknown): void {
    const error = toShoalError(thrown);
    if (!view) this.#note(slot, undefined);
    this.#inference.note(view, error, slot.trace);
    slot.trace?.failed(error);
    slot.line?.failed(error);
    if (view && error === thrown) {
      this.#settle(slot, streamError({ message: error.message, id: view.id }));
      return;
    }
    slot.fatal = error;
    this.#finished = true;
    this.#call.pause();
  }

  #failed(slot: ResponseSlot, view: InferRequestView, error: ShoalError, origin: FailureOrigin): void {
    this.#inference.note(view, error, slot.trace);
    slot.trace?.failed(error);
    slot.line?.failed(error);
    if (this.#grpcErrors) {
      slot.infer = undefined;
      slot.fatal = error;
      this.#flush();
      return;
    }
    const { id, modelName: model } = view;
    const { message } = error;
    const ran = origin !== 'queue' || error.message === 'Request timeout expired';
    this.#settle(slot, streamError(ran ? { message, id, model, finalResponse: true } : { message, id }));
  }

  #settle(slot: ResponseSlot, response: Buffer): void {
    slot.infer = undefined;
    slot.response = response;
    this.#line.resize(slot, response.length);
    if (this.#line.first === slot) this.#flush();
  }

  /** Sends the answers whose turn it is, as far as the client takes them. */
  #flush(): void {
    if (this.#over) return;
    for (let slot = this.#line.first; slot && !this.#blocked; slot = this.#line.first) {
      if (slot.fatal) {
        this.#end(slot.fatal);
        return;
      }
      if (!slot.response) break;
      this.#line.removeFirst();
      slot.trace?.sending();
      this.#blocked = !this.#call.write(slot.response);
      slot.trace?.sent();
    }
    if (this.#finished && this.#line.size === 0) this.#end(this.#status);
    else this.#hold();
  }

  /** Reads on or holds the client back, with a gap between the two so as not to alternate at each message. */
  #hold(): void {
    if (this.#finished) return;
    const { requests, bytes } = this.#limits;
    const { size, bytes: held } = this.#line;
    if (!this.#paused && (size >= requests || held >= bytes)) {
      this.#paused = true;
      this.#call.pause();
    } else if (this.#paused && size <= requests / 2 && held <= bytes / 2) {
      this.#paused = false;
      this.#call.resume();
    }
  }

  #finish(status?: ShoalError): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#status = status;
    this.#flush();
  }

  #end(status: ShoalError | undefined): void {
    this.#call.end(status);
    this.#abandon();
  }

  /** Nobody waits for what is left. */
  #abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#finished = true;
    for (const slot of this.#line.clear()) {
      slot.infer?.cancel();
      slot.trace?.abandoned(this.#call.deadline);
      slot.line?.abandoned(this.#call.deadline);
    }
    this.#closed();
  }
}
