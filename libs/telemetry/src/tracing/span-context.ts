/** Length of a context on a link: trace id (16), span id (8), flags (1). */
export const contextBytes = 25;

/** Bit 0 of W3C's trace-flags. */
export const sampledFlag = 1;

/**
 * Where a recorded span stands: what its children, links to it and other processes need of it. There is none where nothing is
 * recorded, so whoever holds one records. A `Span` is its own context.
 */
export interface SpanContext {
  /** `contextBytes` bytes: trace id, span id, flags. As it is on links; not to be altered. */
  readonly wire: Buffer;
  /** W3C's tracestate, '' = none. It travels with calls and messages that have headers, not over links. */
  readonly traceState: string;
}

/**
 * The context in a link's message, copied out of it. Undefined for no bytes, and for what is no sampled context: an unknown length, an id of
 * zeros, the sampled flag not set.
 */
export function contextFromWire(bytes: Uint8Array | undefined): SpanContext | undefined {
  if (bytes === undefined || bytes.length !== contextBytes) return undefined;
  if (((bytes[24] ?? 0) & sampledFlag) === 0 || isZero(bytes, 0, 16) || isZero(bytes, 16, 24)) return undefined;
  return { wire: Buffer.from(bytes), traceState: '' };
}

/** For logs: 32 hex digits. */
export function traceIdOf(context: SpanContext): string {
  return context.wire.toString('hex', 0, 16);
}

/** For logs: 16 hex digits. */
export function spanIdOf(context: SpanContext): string {
  return context.wire.toString('hex', 16, 24);
}

/** The names that OpenTelemetry gives them in logs. */
export interface TraceFields {
  readonly trace_id?: string;
  readonly span_id?: string;
}

/** What a line of the log says of a request that is recorded. */
export function traceFields(context: SpanContext | undefined): TraceFields {
  return context ? { trace_id: traceIdOf(context), span_id: spanIdOf(context) } : {};
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}
