import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Clock, ErrorCode, ShoalError } from '@shoal/core';
import type { GrpcCarrier } from './carrier';
import type { Metadata } from './metadata';
import type { Renewable } from './tls/renewable';

/** What a handler may know of the call it answers; the same on every carrier. */
export interface CallContext {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** A request header's first value, by lower-case name; binary (`-bin`) headers are not offered. */
  header(name: string): string | undefined;
  /** The first value of a binary header (its name ends in `-bin`), decoded. */
  binaryHeader(name: string): Buffer | undefined;
  /** Adds to the response's headers; without effect once the first message is written. */
  setHeaders(metadata: Metadata): void;
  /** Adds to the trailers that come with the status. */
  setTrailers(metadata: Metadata): void;
  /**
   * Says that nobody reads the request's bytes any more: a passthrough handler that has the message (unary, server stream) gives its
   * memory back, for the next large message. Optional, without effect on small messages.
   */
  recycle(message: Buffer): void;
  /**
   * Memory for one large response of a passthrough handler, with whatever was in it: nobody but the carrier may look at it once it
   * has been handed over, since it is used again when it has been sent.
   */
  allocate(length: number): Buffer;
  /** Whether the message that the handler was given last had come compressed; undefined where the carrier cannot tell (grpc-js). */
  readonly requestCompressed: boolean | undefined;
  /**
   * From the next message on, in place of the server's `responseCompression`; a stream may go back and forth. Without effect where
   * the client does not accept it, and on grpc-js.
   */
  compressResponses(compression: Compression): void;
  /** When the client stops waiting, on the server clock's `now()`; undefined = never. */
  readonly deadline: number | undefined;
  readonly cancelled: boolean;
  /**
   * Called once when the client cancels, its deadline passes, its connection breaks or the server's drain runs out of
   * grace before the call has ended.
   */
  onCancel(cancelled: () => void): void;
  /** The peer's address, for logs. */
  readonly peer: string;
}

/** Answers one message with one. What it throws becomes the call's status (ShoalError as it is, all else INTERNAL). */
export type UnaryHandler<Req, Res> = (request: Req, call: CallContext) => Res | Promise<Res>;

/** A call with a stream in both directions. Messages arrive in order, one callback each. */
export interface StreamCall<Req, Res> extends CallContext {
  onMessage(receive: (message: Req) => void): void;
  /** The client will send no more. */
  onEnd(ended: () => void): void;
  /** Holds back the client (flow control) until `resume`. */
  pause(): void;
  resume(): void;
  /** False when the carrier's buffer is full: wait for `onDrain` before the next large write. */
  write(message: Res): boolean;
  onDrain(drained: () => void): void;
  /** Bytes written and not yet taken by the socket (estimate where the carrier cannot tell). */
  readonly bufferedBytes: number;
  /** Ends the call: OK without an error. */
  end(error?: ShoalError): void;
}

export type StreamHandler<Req, Res> = (call: StreamCall<Req, Res>) => void;

/** One message in, a stream out. */
export type ServerStreamHandler<Req, Res> = (request: Req, call: StreamCall<never, Res>) => void;

/**
 * Handlers by method name. Messages are proto-loader objects (keepCase, enums as names, longs as numbers, defaults
 * filled in), or the message's bytes for methods listed as `passthrough`.
 */
export type Handlers = Record<string, AnyHandler>;

/** A handler of each kind, for a table of all message types; a stream handler's promise is watched for its failure. */
// eslint-disable-next-line typescript/no-explicit-any -- one table holds handlers of every message type
type AnyHandler = ((request: any, call: any) => unknown) | ((call: any) => unknown);

export interface ServiceOptions {
  /** Methods whose messages pass as Buffers, undecoded in both directions: the hot path. */
  readonly passthrough?: readonly string[];
  /** Methods whose requests may be as large as the server allows; those of other methods have at most 4 MiB. */
  readonly large?: readonly string[];
}

export interface TlsOptions {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Given: client certificates are demanded and checked against it. */
  readonly clientCa?: Buffer;
  /** Given with `clientCa`: the DNS name that clients' certificates must have. Not on grpc-js. */
  readonly clientName?: string;
}

/** How large responses are compressed when the client accepts it; requests may come compressed in any case. */
export type Compression = 'none' | 'low' | 'medium' | 'high';

/** Told of the ends of one method's calls. */
export interface CallMeter {
  /** @param code Of the status; `CANCELLED` also where nobody waited for one. @param ms From the request's headers to the status. */
  ended(code: ErrorCode | 'OK', ms: number): void;
}

export interface ServerSettings {
  /** Gives calls their deadlines and times the drain. */
  readonly clock: Clock;
  readonly carrier?: GrpcCarrier;
  /** Told of what a handler threw that is no ShoalError; the client only learns "internal error". */
  readonly onError?: (thrown: unknown, path: string) => void;
  /** Asked once for each method that has a handler, by its path. */
  readonly meterOf?: (path: string) => CallMeter;
  /** Largest request message in bytes. Default 2^31-1, as Triton. Larger: RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes?: number;
  /** Bytes of requests that have come in part, over all connections; above it further ones are RESOURCE_EXHAUSTED. */
  readonly maxPartialBytes?: number;
  /**
   * Bytes of answers that wait for their clients, over all connections; above it the connections of those who take least are ended.
   * Default: a quarter of the memory that the process may use.
   */
  readonly maxWaitingBytes?: number;
  /** Pings a silent connection this often. Default: never. */
  readonly keepaliveMs?: number;
  /** Drops a connection that does not answer a ping within this time. Default: `keepaliveMs`. */
  readonly keepaliveTimeoutMs?: number;
  /** Closes connections, with notice, at about this age, so that clients spread anew. Default: never. */
  readonly maxConnectionAgeMs?: number;
  /** How long the calls of such a connection may go on. Default: 10 minutes. */
  readonly maxConnectionAgeGraceMs?: number;
  /** Default 'none'. */
  readonly responseCompression?: Compression;
}

/** A gRPC server, whatever carries it. */
export interface RpcServer {
  /** Adds a service before `listen`. Methods without a handler answer UNIMPLEMENTED. */
  addService(definition: ServiceDefinition, handlers: Handlers, options?: ServiceOptions): void;
  /**
   * Binds `HOST:PORT` (port 0 = any) or `unix:PATH`; resolves with the port (0 for a unix socket). When `tls` is renewed, new
   * connections use what is new, and those that there are go on.
   * @throws ShoalError UNAVAILABLE with the address when it cannot be bound.
   */
  listen(address: string, tls?: TlsOptions | Renewable<TlsOptions>): Promise<number>;
  /**
   * Takes no new connections, tells clients to go elsewhere, serves what they had sent by then; after `graceMs` ends what still
   * runs with UNAVAILABLE.
   */
  drain(graceMs: number): Promise<void>;
}
