import { ShoalError } from '@shoal/core';
import type { HeaderBlock } from '@shoal/http2';
import { accepts } from '../wire/compression';
import { parseTimeout } from '../wire/timeout';
import type { Route, RouteTable } from './route';

/** What a request's headers say, read once for as many calls as send the same block. */
export interface RequestHead {
  /** Undefined: the call is refused. */
  readonly route: Route | undefined;
  /** HTTP's word on what is no gRPC; 0 for calls. */
  readonly httpStatus: number;
  readonly refusal: ShoalError | undefined;
  /** Infinity: no deadline. */
  readonly timeoutMs: number;
  /** `grpc-encoding` of the requests. */
  readonly encoding: string | undefined;
  /** Responses may come in gzip. */
  readonly acceptsGzip: boolean;
}

export function requestHead(block: HeaderBlock, routes: RouteTable): RequestHead {
  const known = block.memo as RequestHead | undefined;
  if (known !== undefined) return known;
  const head = readHead(block, routes);
  block.memo = head;
  return head;
}

function readHead(block: HeaderBlock, routes: RouteTable): RequestHead {
  const httpStatus = httpStatusOf(block);
  const route = block.path && routes.find(block.path);
  const timeout = block.get('grpc-timeout');
  const timeoutMs = timeout === undefined ? Number.POSITIVE_INFINITY : parseTimeout(timeout);
  let refusal: ShoalError | undefined;
  if (route === undefined) {
    const path = (block.path?.value ?? '').slice(0, 1000);
    refusal = new ShoalError('UNIMPLEMENTED', `The server does not implement the method ${path}`);
  } else if (Number.isNaN(timeoutMs)) {
    refusal = new ShoalError('INTERNAL', `Invalid grpc-timeout value "${timeout?.slice(0, 100)}"`);
  }
  return {
    route,
    httpStatus,
    refusal,
    timeoutMs,
    encoding: block.get('grpc-encoding'),
    acceptsGzip: accepts(block.get('grpc-accept-encoding'), 'gzip'),
  };
}

/** gRPC over HTTP/2, "Requests": POST, and a content type of gRPC's; others are told so in HTTP's terms. */
function httpStatusOf(block: HeaderBlock): number {
  if (block.method !== 'POST') return 405;
  return /^application\/grpc(?:$|[+;])/.test(block.get('content-type') ?? '') ? 0 : 415;
}
