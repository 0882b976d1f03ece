import type { Clock, ShoalError } from '@shoal/core';
import type { InferRequestView } from '@shoal/protocol';
import { endServerSpan } from '@shoal/rpc';
import type { Span, SpanContext, Tracer } from '@shoal/telemetry';
import { abandonment } from '../requests/abandonment';
import type { InferPlan } from '../requests/infer-plan';

/** What came between an offer and the next one of the same request; names of events on its span. */
export type Setback = 'RUNNER_LOST' | 'RUNNER_UNREACHABLE' | 'BATCHING_LOST' | 'REFUSED' | 'QUEUE_GONE';

/**
 * The spans that one recorded request has at the door: of the call, of the model's work for it (named as the model) and of the answer's
 * way out. Names of events and of `triton.` attributes are those that Triton's traces have. However the request ends, `sent` or
 * `failed` ends all of them; what is said after that has no effect.
 */
export class RequestTrace {
  readonly #tracer: Tracer;
  readonly #clock: Clock;
  readonly #door: Span;
  #model: Span | undefined;
  #answer: Span | undefined;
  #plan: InferPlan | undefined;
  #offers = 0;

  /** @param view Undefined: the message could not be read. */
  constructor(tracer: Tracer, clock: Clock, door: Span, view: InferRequestView | undefined) {
    this.#tracer = tracer;
    this.#clock = clock;
    this.#door = door;
    if (view) nameRequest(door, view.modelName, view.id);
  }

  /** Its place in the trace, as it goes over links: what others do for it is under the model's span. */
  get wire(): Uint8Array {
    return (this.#model ?? this.#door).wire;
  }

  /** The span of the call: what is said of the request in the log. */
  get context(): SpanContext {
    return this.#door;
  }

  /** It was found right and admitted. */
  accepted(plan: InferPlan): void {
    const now = this.#clock.now();
    const model = this.#tracer.start(plan.version.announcement.model, 'internal', this.#door, now);
    model.event('REQUEST_START', now);
    this.#model = model;
    this.#plan = plan;
  }

  /** It is offered to batching, for the first time or again; by this plan, which may be another one than before. */
  offered(plan: InferPlan): void {
    this.#offers += 1;
    this.#plan = plan;
    if (this.#offers === 1) this.#model?.event('QUEUE_START', this.#clock.now());
  }

  /** An offer came to nothing, and another one may follow. */
  setBack(why: Setback): void {
    this.#model?.event(why, this.#clock.now());
  }

  /** The answer came from a runner; nothing has been done with it yet. */
  answering(): void {
    this.#answer = this.#tracer.start('answer', 'internal', this.#model, this.#clock.now());
  }

  /** The response is there, whole. */
  completed(): void {
    const now = this.#clock.now();
    this.#model?.event('REQUEST_END', now);
    this.#door.event('INFER_RESPONSE_COMPLETE', now);
  }

  /** The response is about to be handed to the carrier. */
  sending(): void {
    this.#door.event('GRPC_SEND_START', this.#clock.now());
  }

  /** The carrier has it. */
  sent(): void {
    const now = this.#clock.now();
    this.#answer?.end(now);
    this.#endModel(now);
    this.#door.event('GRPC_SEND_END', now);
    endServerSpan(this.#door, undefined, now);
  }

  /** It was refused, failed, or nobody waits for it any more. */
  failed(error: ShoalError): void {
    const now = this.#clock.now();
    const { code, message } = error;
    this.#answer?.end(now);
    if (code !== 'CANCELLED') this.#model?.fail(code, message);
    this.#model?.event('REQUEST_END', now);
    this.#endModel(now);
    endServerSpan(this.#door, error, now);
  }

  /** Nobody waits for it any more, perhaps because its deadline has passed. @param deadline On the clock; undefined = none. */
  abandoned(deadline: number | undefined): void {
    this.failed(abandonment(deadline, this.#clock.now()));
  }

  #endModel(now: number): void {
    const plan = this.#plan;
    if (!this.#model || !plan) return;
    const { model, version } = plan.version.announcement;
    const { rows, requestId, background, bytes } = plan.request;
    this.#door.set('triton.model_version', version);
    nameRequest(this.#model, model, requestId);
    this.#model.set('triton.model_version', version);
    this.#model.set('shoal.rows', rows);
    this.#model.set('shoal.request.bytes', bytes);
    this.#model.set('shoal.offers', this.#offers);
    if (background) this.#model.set('shoal.background', true);
    this.#model.end(now);
  }
}

function nameRequest(span: Span, model: string, requestId: string): void {
  span.set('triton.model_name', model);
  if (requestId !== '') span.set('triton.request_id', requestId);
}
