import type { MethodDefinition } from '@grpc/grpc-js';
import type { Clock, Random, ShoalError } from '@shoal/core';
import type { GrpcCarrier } from './carrier';
import type { Metadata } from './metadata';
import type { Renewable } from './tls/renewable';

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
  /**
   * False when the carrier's buffer is full: wait for `onDrain` before the next large write. The message must not change any more:
   * a large one is not copied.
   */
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
  /** Spreads reconnections of many clients. Default: the system's. */
  readonly random?: Random;
  readonly maxMessageBytes?: number;
  /** Messages pass as Buffers both ways, undecoded. */
  readonly passthrough?: boolean;
  /** Pings a silent connection with open calls this often and drops it when no answer comes. Default: never. */
  readonly keepaliveMs?: number;
  /** Connections to the target, over which calls are spread. Default 1. */
  readonly connections?: number;
  /** Default: no TLS. When it is renewed, new connections use what is new; `serverName` stays. */
  readonly tls?: ClientTlsOptions | Renewable<ClientTlsOptions>;
}

/** Told of the ends of a `UnaryCaller`'s calls: one of the two, once for each call, and never before `call` has returned. */
export interface UnaryListener {
  /** `message` is good until this returns: its memory is used again. */
  answered(tag: number, message: Buffer): void;
  failed(tag: number, error: ShoalError): void;
}

/** What all calls of a `UnaryCaller` have in common. */
export type UnaryCallerOptions = Pick<CallOptions, 'compression' | 'headers' | 'timeoutMs'>;

/** Unary calls of one method, in bytes, for callers who count microseconds: no promise, closure or options for each. */
export interface UnaryCaller {
  /**
   * Begins a call.
   * @param request is not copied: it must not change before the call has been answered, and after a failure not at all
   * @param tag what the listener is to call it
   */
  call(request: Buffer, tag: number): void;
}

/** A gRPC client of one target, whatever carries it. */
export interface RpcClient {
  /** @throws ShoalError with the status the server sent. */
  unary<Req, Res>(method: MethodDefinition<Req, Res>, request: Req, options?: CallOptions): Promise<Res>;
  stream<Req, Res>(method: MethodDefinition<Req, Res>, options?: CallOptions): ClientStream<Req, Res>;
  /**
   * @param path `/package.Service/Method`
   * @throws ShoalError INVALID_ARGUMENT for headers that gRPC does not carry
   */
  unaryCaller(path: string, listener: UnaryListener, options?: UnaryCallerOptions): UnaryCaller;
  /** No new calls; those that have begun go on, those that wait for a connection fail. */
  close(): void;
}
