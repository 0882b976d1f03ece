import type { Clock } from '@shoal/core';
import { type Msg, type MsgHdrs, headers } from '@nats-io/transport-node';
import type { Propagator, Span, SpanContext, Tracer } from '@shoal/telemetry';

/** What calls over NATS are recorded with. */
export interface BusTracing {
  readonly tracer: Tracer;
  readonly propagator: Propagator;
}

/** A call that is recorded, on its way. */
export interface PublishedCall {
  readonly span: Span;
  /** That go with the message: names are lower-case, and looked for as they are. */
  readonly headers: MsgHdrs;
}

/** Spans of calls over the bus, by OpenTelemetry's conventions for messaging: those that are made for something that is recorded. */
export class CallSpans {
  readonly #tracing: BusTracing;
  readonly #clock: Clock;

  constructor(tracing: BusTracing, clock: Clock) {
    this.#tracing = tracing;
    this.#clock = clock;
  }

  /** A call of `subject` (`destination` in NATS) is made under `parent`. To be ended with its answer. */
  publish(subject: string, destination: string, bytes: number, parent: SpanContext): PublishedCall {
    const { tracer, propagator } = this.#tracing;
    const span = tracer.start(`publish ${templateOf(subject)}`, 'producer', parent, this.#clock.now());
    describe(span, 'publish', 'send', subject, destination, bytes);
    const carried = headers();
    propagator.inject(span, (name, value) => carried.set(name, value));
    return { span, headers: carried };
  }

  /** A call of `subject` has come; undefined: it is not recorded. */
  process(subject: string, { headers: carried, subject: destination, data }: Msg): Span | undefined {
    if (!carried) return undefined;
    const { tracer, propagator } = this.#tracing;
    const parent = propagator.extract({ header: (name) => carried.get(name) || undefined });
    if (parent === 'unsampled') return undefined;
    const span = tracer.start(`process ${templateOf(subject)}`, 'consumer', parent, this.#clock.now());
    if (span) describe(span, 'process', 'process', subject, destination, data.length);
    return span;
  }

  end(span: Span, error: { readonly code: string; readonly message: string } | undefined): void {
    if (error) span.fail(error.code, error.message);
    span.end(this.#clock.now());
  }
}

function describe(
  span: Span,
  operation: string,
  type: string,
  subject: string,
  destination: string,
  bytes: number,
): void {
  span.set('messaging.system', 'nats');
  span.set('messaging.operation.name', operation);
  span.set('messaging.operation.type', type);
  span.set('messaging.destination.name', destination);
  span.set('messaging.destination.template', templateOf(subject));
  span.set('messaging.message.body.size', bytes);
}

/** Without the instance that is called: names of spans are to be few. */
function templateOf(subject: string): string {
  return subject.split('.', 2).join('.');
}
