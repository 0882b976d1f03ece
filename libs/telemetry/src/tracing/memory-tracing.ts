import { seededRandom } from '@shoal/core';
import { type HeaderSource, type Propagator, traceContextPropagator } from './propagation';
import { type RecordedSpan, SinkTracer, type SpanLimits } from './recorded-span';
import { RequestSampler } from './request-sampler';
import { SamplingDoor } from './sampling-door';
import type { AttributeValue, Span, SpanKind, Tracer } from './span';
import type { TraceDefaults, TraceDoor, Tracing } from './tracing';

/** A span that has ended, to look at in tests. Ids are hexadecimal, times the Clock's ms. */
export interface SeenSpan {
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly spanId: string;
  /** '' = a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly startAt: number;
  readonly endAt: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly events: readonly { readonly name: string; readonly at: number }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** The message of a status ERROR; undefined: the status is UNSET. */
  readonly failure: string | undefined;
}

/** Many more than a test makes. */
const limits: SpanLimits = { attributes: 10_000, events: 10_000, links: 100_000, valueLength: 1e6 };

/** Keeps spans in memory, for tests: what services are given as `tracing`. */
export class MemoryTracing implements Tracing, TraceDoor {
  /** Those that have ended, in that order. */
  readonly spans: SeenSpan[] = [];
  readonly propagator: Propagator = traceContextPropagator;
  /** Whether the door records requests whose caller says nothing of a trace, if the sampler agrees, which at first it does. */
  samples = true;
  readonly sampler = new RequestSampler({ parentBased: true, ratio: 1 }, seededRandom(1));
  readonly defaults: TraceDefaults = { settings: undefined, url: '', queueSpans: 1, batchSpans: 1, delayMs: 0 };
  readonly #tracers = new Map<string, Tracer>();

  get door(): TraceDoor {
    return this;
  }

  /** What was relayed, still encoded. */
  readonly relayed: { readonly service: string; readonly encoded: Uint8Array; readonly spans: number }[] = [];

  relay(service: string): (encoded: Uint8Array, spans: number) => void {
    return (encoded, spans) => void this.relayed.push({ service, encoded, spans });
  }

  tracer(service: string): Tracer {
    let tracer = this.#tracers.get(service);
    if (!tracer) {
      tracer = new SinkTracer({ ended: (span) => void this.spans.push(seen(service, span)) }, limits);
      this.#tracers.set(service, tracer);
    }
    return tracer;
  }

  /** Of service 'router'. */
  open(name: string, model: string, headers: HeaderSource, at: number): Span | undefined {
    if (!this.samples && headers.header('traceparent') === undefined) return undefined;
    return new SamplingDoor(this.tracer('router'), this.sampler, true).open(name, model, headers, at);
  }

  /** Those of one name. */
  named(name: string): readonly SeenSpan[] {
    return this.spans.filter((span) => span.name === name);
  }
}

function seen(service: string, span: RecordedSpan): SeenSpan {
  const { name, kind, wire, parentIds, parentIdsAt, traceState, startAt, endAt, failure } = span;
  const attributes: Record<string, AttributeValue> = {};
  for (let at = 0; at < (span.attributes?.length ?? 0); at += 2) {
    const value = span.attributes![at + 1]!;
    attributes[span.attributes![at] as string] = typeof value === 'object' && 'real' in value ? value.real : value;
  }
  const events = [];
  for (let at = 0; at < (span.events?.length ?? 0); at += 2) {
    events.push({ name: span.events![at] as string, at: span.events![at + 1] as number });
  }
  return {
    ...{ service, name, kind, traceState, startAt, endAt, failure, attributes, events },
    ...ids(wire),
    parentSpanId: parentIds ? ids(parentIds.subarray(parentIdsAt)).spanId : '',
    links: (span.links ?? []).map((link) => ids(link.wire)),
  };
}

function ids(wire: Buffer): { readonly traceId: string; readonly spanId: string } {
  return { traceId: wire.toString('hex', 0, 16), spanId: wire.toString('hex', 16, 24) };
}
