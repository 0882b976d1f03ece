import type { ShoalError } from '@shoal/core';
import type { HeaderBlock } from '@shoal/http2';
import { errorFromHttpStatus, errorFromTrailers } from '../wire/status-trailers';

/** What a response's headers say. */
export interface ResponseHead {
  /** Messages and trailers follow; else this is no gRPC. */
  readonly isGrpc: boolean;
  /** `grpc-encoding`. */
  readonly encoding: string | undefined;
}

/** Of headers that more follows: found out once for each block, of which a connection sees few. */
export function responseHead(block: HeaderBlock): ResponseHead {
  return ((block.memo as ResponseHead | undefined) ??= read(block));
}

function read(block: HeaderBlock): ResponseHead {
  const type = block.get('content-type');
  // application/grpc, application/grpc+proto, application/grpc;charset=…
  const isGrpc = block.status === 200 && type !== undefined && /^application\/grpc(?:[+;]|$)/.test(type);
  return { isGrpc, encoding: block.get('grpc-encoding') };
}

/** The status in a response that is nothing but headers (gRPC over HTTP/2, "Trailers-Only"); undefined for OK. */
export function statusOfHead(block: HeaderBlock): ShoalError | undefined {
  if (block.status !== 200 && block.get('grpc-status') === undefined) return errorFromHttpStatus(block.status);
  return errorFromTrailers(block);
}
