import type { Clock, ShoalError } from '@shoal/core';
import type { InferRequestView } from '@shoal/protocol';
import { type LogControl, type Logger, type SpanContext, traceFields } from '@shoal/telemetry';
import type { Caller } from '../access/caller';
import type { InferPlan } from '../requests/infer-plan';
import { abandonment } from '../requests/abandonment';

/** From this verbose level on there is a line for each request. */
const verboseLevel = 2;
/** Clients choose ids and names of models; a line is not to be as long as they like. */
const maxText = 256;

/** Writes one line for each request, while somebody wants that: `--log-requests`, or a verbose level of 2. */
export class RequestLog {
  readonly #control: LogControl;
  readonly #logger: Logger;
  readonly #clock: Clock;

  constructor(control: LogControl, logger: Logger, clock: Clock) {
    this.#control = control;
    this.#logger = logger;
    this.#clock = clock;
  }

  /**
   * To be called when a request has come; undefined: nobody wants its line.
   * @param method Without its service. @param trace Of its spans; undefined: it is not recorded.
   */
  begin(
    method: string,
    view: InferRequestView | undefined,
    caller: Caller | undefined,
    trace: SpanContext | undefined,
  ): RequestLine | undefined {
    if (!this.#control.requests && this.#control.verboseLevel < verboseLevel) return undefined;
    return new RequestLine(this.#logger, this.#clock, method, view, caller, trace);
  }
}

/** The line of one request, which is written when it has ended: once, by what is said first. It holds no contents. */
export class RequestLine {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #method: string;
  readonly #view: InferRequestView | undefined;
  readonly #caller: Caller | undefined;
  readonly #trace: SpanContext | undefined;
  readonly #startedAt: number;
  #plan: InferPlan | undefined;
  #written = false;

  constructor(
    logger: Logger,
    clock: Clock,
    method: string,
    view: InferRequestView | undefined,
    caller: Caller | undefined,
    trace: SpanContext | undefined,
  ) {
    this.#logger = logger;
    this.#clock = clock;
    this.#method = method;
    this.#view = view;
    this.#caller = caller;
    this.#trace = trace;
    this.#startedAt = clock.now();
  }

  accepted(plan: InferPlan): void {
    this.#plan = plan;
  }

  answered(): void {
    this.#write('OK', undefined);
  }

  failed({ code, message }: ShoalError): void {
    this.#write(code, message);
  }

  /** Nobody waits for it any more, perhaps because its deadline has passed. @param deadline On the clock; undefined = none. */
  abandoned(deadline: number | undefined): void {
    this.failed(abandonment(deadline, this.#clock.now()));
  }

  #write(code: string, reason: string | undefined): void {
    if (this.#written) return;
    this.#written = true;
    const view = this.#view;
    const plan = this.#plan;
    this.#logger.verbose(0, 'request', {
      method: this.#method,
      model: view?.modelName.slice(0, maxText),
      version: plan?.version.version ?? view?.modelVersion.slice(0, maxText),
      code,
      reason,
      ms: Math.round((this.#clock.now() - this.#startedAt) * 1000) / 1000,
      rows: plan?.request.rows,
      background: plan?.request.background === true ? true : undefined,
      request_id: view?.id ? view.id.slice(0, maxText) : undefined,
      tenant: this.#caller?.tenant,
      key: this.#caller?.keyId ? this.#caller.keyId : undefined,
      ...traceFields(this.#trace),
    });
  }
}
