import { idPool, takeIds } from './ids';
import type { AttributeValue, Span, SpanKind, Tracer } from './span';
import { type SpanContext, contextBytes } from './span-context';

/** Takes spans that have ended. */
export interface SpanSink {
  ended(span: RecordedSpan): void;
}

/** How much one span holds; what is beyond is counted and not kept. */
export interface SpanLimits {
  readonly attributes: number;
  readonly events: number;
  readonly links: number;
  /** Longest text of an attribute and of a failure, in UTF-16 units; the rest of a longer one is cut off. */
  readonly valueLength: number;
}

/**
 * A span as a few flat lists, which are encoded when it ends: objects for attributes and events would cost more than the request's own
 * work.
 */
export class RecordedSpan implements Span {
  /** Its wire form is at `idsAt` in these bytes. */
  readonly ids: Buffer;
  readonly idsAt: number;
  readonly traceState: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** The same of its parent; undefined: a root. */
  readonly parentIds: Buffer | undefined;
  readonly parentIdsAt: number;
  readonly startAt: number;
  endAt = Number.NaN;
  /** key, value, key, value …; undefined: none. Reals are boxed: see `Real`. */
  attributes: (string | AttributeValue | Real)[] | undefined;
  /** name, time, name, time … */
  events: (string | number)[] | undefined;
  links: SpanContext[] | undefined;
  /** Set: the status is ERROR. */
  failure: string | undefined;
  droppedAttributes = 0;
  droppedEvents = 0;
  droppedLinks = 0;
  #wire: Buffer | undefined;
  readonly #sink: SpanSink;
  readonly #limits: SpanLimits;

  constructor(
    sink: SpanSink,
    limits: SpanLimits,
    name: string,
    kind: SpanKind,
    parent: SpanContext | undefined,
    at: number,
  ) {
    const own = parent instanceof RecordedSpan;
    this.parentIds = own ? parent.ids : parent?.wire;
    this.parentIdsAt = own ? parent.idsAt : 0;
    this.idsAt = takeIds(this.parentIds, this.parentIdsAt);
    this.ids = idPool();
    this.traceState = parent === undefined ? '' : parent.traceState;
    this.name = name;
    this.kind = kind;
    this.startAt = at;
    this.#sink = sink;
    this.#limits = limits;
  }

  get wire(): Buffer {
    return (this.#wire ??= this.ids.subarray(this.idsAt, this.idsAt + contextBytes));
  }

  get #over(): boolean {
    return this.endAt === this.endAt;
  }

  set(key: string, value: AttributeValue): void {
    if (typeof value === 'string') this.#attribute(key, this.#cut(value));
    else this.#attribute(key, typeof value === 'object' ? value.map((text) => this.#cut(text)) : value);
  }

  setReal(key: string, value: number): void {
    this.#attribute(key, Number.isInteger(value) ? { real: value } : value);
  }

  event(name: string, at: number): void {
    if (this.#over) return;
    const events = (this.events ??= []);
    if (events.length < 2 * this.#limits.events) events.push(name, at);
    else this.droppedEvents++;
  }

  link(context: SpanContext): void {
    if (this.#over) return;
    const links = (this.links ??= []);
    if (links.length < this.#limits.links) links.push(context);
    else this.droppedLinks++;
  }

  fail(code: string, message: string): void {
    if (this.#over || this.failure !== undefined) return;
    this.failure = this.#cut(message);
    this.#attribute('error.type', code);
  }

  end(at: number): void {
    if (this.#over) return;
    this.endAt = at;
    this.#sink.ended(this);
  }

  #cut(text: string): string {
    return text.length > this.#limits.valueLength ? text.slice(0, this.#limits.valueLength) : text;
  }

  #attribute(key: string, value: AttributeValue | Real): void {
    if (this.#over) return;
    const attributes = (this.attributes ??= []);
    if (attributes.length < 2 * this.#limits.attributes) attributes.push(key, value);
    else this.droppedAttributes++;
  }
}

/** A whole number that is to be sent as a double. */
export interface Real {
  readonly real: number;
}

/** Makes spans for a sink. */
export class SinkTracer implements Tracer {
  readonly #sink: SpanSink;
  readonly #limits: SpanLimits;

  constructor(sink: SpanSink, limits: SpanLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  start(name: string, kind: SpanKind, parent: SpanContext, at: number): Span;
  start(name: string, kind: SpanKind, parent: SpanContext | undefined, at: number): Span | undefined;
  start(name: string, kind: SpanKind, parent: SpanContext | undefined, at: number): Span | undefined {
    if (parent === undefined) return undefined;
    return new RecordedSpan(this.#sink, this.#limits, name, kind, parent, at);
  }

  startRoot(name: string, kind: SpanKind, at: number): Span {
    return new RecordedSpan(this.#sink, this.#limits, name, kind, undefined, at);
  }
}
