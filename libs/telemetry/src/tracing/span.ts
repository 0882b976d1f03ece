import type { SpanContext } from './span-context';

/** OpenTelemetry's kinds. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export type AttributeValue = string | number | boolean | readonly string[];

/**
 * A piece of work that is being recorded. All times are the `Clock`'s `now()`, in ms; they become wall-clock time when the span is sent.
 * Nothing throws; after `end` nothing has an effect. A span that never ends is never sent.
 */
export interface Span extends SpanContext {
  /** A later value for the same key is added, not replaced: set each key once. Whole numbers are sent as int, others as double. */
  set(key: string, value: AttributeValue): void;
  /** A number that is a double by its nature, even when it happens to be whole. */
  setReal(key: string, value: number): void;
  event(name: string, at: number): void;
  /** To a span of any trace. */
  link(context: SpanContext): void;
  /** The work failed: status ERROR with `message`, which users see, and the attribute error.type = `code`. */
  fail(code: string, message: string): void;
  end(at: number): void;
}

/** Makes the spans of one service. There is none (undefined) in a process that exports no spans. */
export interface Tracer {
  /** A span under `parent`; undefined when that is: the request is not recorded. */
  start(name: string, kind: SpanKind, parent: SpanContext, at: number): Span;
  start(name: string, kind: SpanKind, parent: SpanContext | undefined, at: number): Span | undefined;
  /** A span that begins a trace of its own, recorded in any case: whoever calls it has decided. */
  startRoot(name: string, kind: SpanKind, at: number): Span;
}
