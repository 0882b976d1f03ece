import { type SpanContext, contextBytes, sampledFlag } from './span-context';

/** What a caller's headers say of its trace: a context to go on from, or that it does not record. */
export type RemoteParent = SpanContext | 'unsampled';

/** A traceparent for calls that belong to a request which is not recorded, so that they are not either. Its ids mean nothing. */
export const unsampledTraceparent = '00-00000000000000000000000000000001-0000000000000001-00';

/** Lower-case hexadecimal only; a later version may have more fields. https://www.w3.org/TR/trace-context/#traceparent-header */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeroTrace = '0'.repeat(32);
const zeroSpan = '0'.repeat(16);

/** A caller's span, and whether it says that it records. */
export interface Caller {
  /** With the sampled flag in any case. */
  readonly context: SpanContext;
  readonly sampled: boolean;
}

/**
 * Reads W3C's headers. Undefined: they are not valid; then a trace begins here.
 * @param traceState Asked only when it is needed.
 */
export function readTraceparent(traceparent: string, traceState: () => string | undefined): Caller | undefined {
  const match = form.exec(traceparent.trim());
  if (!match) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === zeroTrace || spanId === zeroSpan) return undefined;
  const wire = Buffer.allocUnsafe(contextBytes);
  wire.write(traceId, 0, 'hex');
  wire.write(spanId, 16, 'hex');
  // Flags that this version does not know are not passed on.
  wire[24] = sampledFlag;
  const sampled = (Number.parseInt(flags, 16) & sampledFlag) !== 0;
  return { context: { wire, traceState: checkedTraceState(traceState()) }, sampled };
}

/** What a caller's headers say; undefined: nothing, or nothing that is valid. */
export function parseTraceparent(
  traceparent: string | undefined,
  traceState: () => string | undefined,
): RemoteParent | undefined {
  if (traceparent === undefined) return undefined;
  const caller = readTraceparent(traceparent, traceState);
  return caller?.sampled === false ? 'unsampled' : caller?.context;
}

/** The header for a call under `context`. */
export function formatTraceparent({ wire }: SpanContext): string {
  const hex = wire.toString('hex');
  return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-${hex.slice(48)}`;
}

const maxMembers = 32;
/** The specification asks for at least this many characters to be passed on. */
const maxStateLength = 512;
const simpleKey = /^[a-z][a-z0-9_\-*/]{0,255}$/;
const tenantKey = /^[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}$/;
/** Printable ASCII without , and =; not a space at its end. */
const memberValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * A tracestate that may be passed on, or '' for one that is invalid, which is no fault of traceparent's. Of one that is too long, whole
 * members are left away from its end.
 */
export function checkedTraceState(header: string | undefined): string {
  if (header === undefined || header === '') return '';
  const members: string[] = [];
  const keys = new Set<string>();
  let length = -1;
  let full = false;
  for (const part of header.split(',')) {
    // No expression: of many blanks within it, one would look at all of them from each.
    const member = part.trim();
    if (member === '') continue;
    const equals = member.indexOf('=');
    const key = member.slice(0, equals);
    if (equals < 0 || !(simpleKey.test(key) || tenantKey.test(key)) || !memberValue.test(member.slice(equals + 1)))
      return '';
    if (keys.has(key) || keys.size === maxMembers) return '';
    keys.add(key);
    full ||= length + 1 + member.length > maxStateLength;
    if (full) continue;
    length += 1 + member.length;
    members.push(member);
  }
  return members.join(',');
}
