import type { ErrorCode, ShoalError } from '@shoal/core';
import type { Span } from '@shoal/telemetry';

/** The codes that are a server's own fault, by OpenTelemetry's conventions for RPC servers: the others are no errors of its spans. */
const serverErrors: ReadonlySet<ErrorCode> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** What OpenTelemetry calls a method: its path without the slash before it. */
export function rpcMethod(path: string): string {
  return path.startsWith('/') ? path.slice(1) : path;
}

/** Where a server listens. */
export interface ServerPlace {
  readonly address: string;
  readonly port: number;
}

/** Where a server is reached that was told to listen at `HOST:PORT`; undefined for a unix socket. @param port The one that was bound. */
export function serverPlace(listened: string, port: number): ServerPlace | undefined {
  if (listened.startsWith('unix:')) return undefined;
  return { address: listened.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'), port };
}

/** Says which call a span of kind SERVER is of, and whose. @param method As `rpcMethod`. */
export function describeServerSpan(span: Span, method: string, place: ServerPlace | undefined): void {
  span.set('rpc.system.name', 'grpc');
  span.set('rpc.method', method);
  if (!place) return;
  span.set('server.address', place.address);
  span.set('server.port', place.port);
}

/** Ends the span of a call that was answered, with its status; undefined = OK. */
export function endServerSpan(span: Span, error: ShoalError | undefined, at: number): void {
  span.set('rpc.status_code', error?.code ?? 'OK');
  if (error && serverErrors.has(error.code)) span.fail(error.code, error.message);
  span.end(at);
}
