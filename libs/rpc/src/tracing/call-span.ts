import type { Propagator, Span } from '@shoal/telemetry';
import { unsampledTraceparent } from '@shoal/telemetry';
import type { CallContext } from '../server';

/** The spans of calls that `tracedServer` records, for as long as their contexts live; null: it was decided not to record the call. */
const spans = new WeakMap<CallContext, Span | null>();

export function setCallSpan(call: CallContext, span: Span | undefined): void {
  spans.set(call, span ?? null);
}

/** The span of a call to a server that is traced; undefined: it is not recorded. */
export function callSpan(call: CallContext): Span | undefined {
  return spans.get(call) ?? undefined;
}

/**
 * The headers that put calls made for `call` into its trace, or keep them out of any when it is not recorded; without tracing, those
 * that the caller sent.
 */
export function traceHeaders(call: CallContext, propagator: Propagator | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  const set = (name: string, value: string) => {
    headers[name] = value;
  };
  const span = spans.get(call);
  if (span && propagator) propagator.inject(span, set);
  else
    for (const name of ['traceparent', 'tracestate']) {
      const value = call.header(name);
      if (value !== undefined) set(name, value);
    }
  if (span === null && propagator && headers['traceparent'] === undefined) set('traceparent', unsampledTraceparent);
  return headers;
}
