import type { MethodDefinition } from '@grpc/grpc-js';
import type { Clock, ShoalError } from '@shoal/core';
import type { GrpcCarrier } from './carrier';
import type { Metadata } from './metadata';

export interface CallOptions {
  /** Ends the call with DEADLINE_EXCEEDED after this many milliseconds. */
  readonly timeoutMs?: number;
  readonly headers?: Metadata;
  readonly signal?: AbortSignal;
  /** Compresses the requests. Default: not. */
  readonly compression?: 'gzip' | 'deflate';
  /** The response's headers have come. Binary values are Buffers. */
  readonly onHeaders?: (metadata: Metadata) => void;
  /** The trailers have come: before the call's end is told. */
  readonly onTrailers?: (metadata: Metadata) => void;
}

/** A client's half of a two-way stream. */
export interface ClientStream<Req, Res> {
  /** The one receiver; before there is one, nothing is read. */
  onMessage(receive: (message: Res) => void): void;
  /** Called once; without an error when the server ended the call with OK. */
  onEnd(ended: (error?: ShoalError) => void): void;
  pause(): void;
  resume(): void;
  write(message: Req): boolean;
  onDrain(drained: () => void): void;
  readonly bufferedBytes: number;
  /** Half-closes: no more messages from us. */
  end(): void;
  cancel(): void;
}

export interface ClientTlsOptions {
  /** Trusted authorities. Default: those of the system. */
  readonly ca?: Buffer;
  /** The client's own certificate and key, for servers that demand one. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** The name that the server's certificate must have. Default: the target's host. */
  readonly serverName?: string;
}

export interface RpcClientOptions {
  readonly carrier?: GrpcCarrier;
  /** Times calls, back-off and keep-alive. Default: the system's. */
  readonly clock?: Clock;
  readonly maxMessageBytes?: number;
  /** Messages pass as Buffers both ways, undecoded. */
  readonly passthrough?: boolean;
  /** Pings a silent connection with open calls this often and drops it when no answer comes. Default: never. */
  readonly keepaliveMs?: number;
  /** Connections to the target, over which calls are spread. Default 1. */
  readonly connections?: number;
  /** Default: no TLS. */
  readonly tls?: ClientTlsOptions;
}

/** A gRPC client of one target, whatever carries it. */
export interface RpcClient {
  /** @throws ShoalError with the status the server sent. */
  unary<Req, Res>(method: MethodDefinition<Req, Res>, request: Req, options?: CallOptions): Promise<Res>;
  stream<Req, Res>(method: MethodDefinition<Req, Res>, options?: CallOptions): ClientStream<Req, Res>;
  close(): void;
}
