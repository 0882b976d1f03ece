import type { SpanContext } from './span-context';
import { type RemoteParent, formatTraceparent, parseTraceparent } from './traceparent';

/** Where headers are read: a call's metadata, a message's headers. */
export interface HeaderSource {
  /** The first value, by lower-case name. */
  header(name: string): string | undefined;
}

/** Writes one header, by its lower-case name. */
export type SetHeader = (name: string, value: string) => void;

/** How contexts travel with calls and messages that have headers, by OTEL_PROPAGATORS. */
export interface Propagator {
  /** The caller's context, or that it does not record; undefined: it says nothing. */
  extract(source: HeaderSource): RemoteParent | undefined;
  /** Says under which span a call is made. Nothing is written without a context. */
  inject(context: SpanContext | undefined, set: SetHeader): void;
}

/** W3C Trace Context. */
export const traceContextPropagator: Propagator = {
  extract: (source) => parseTraceparent(source.header('traceparent'), () => source.header('tracestate')),
  inject(context, set) {
    if (context === undefined) return;
    set('traceparent', formatTraceparent(context));
    if (context.traceState !== '') set('tracestate', context.traceState);
  },
};

/** OTEL_PROPAGATORS=none. */
export const noPropagator: Propagator = { extract: () => undefined, inject: () => undefined };
