import type { MethodDefinition } from '@grpc/grpc-js';
import type { ShoalError } from '@shoal/core';

export interface CallOptions {
  /** Ends the call with DEADLINE_EXCEEDED after this many milliseconds. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
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

export interface RpcClientOptions {
  readonly maxMessageBytes?: number;
  /** Messages pass as Buffers both ways, undecoded. */
  readonly passthrough?: boolean;
  /** Pings a silent connection with open calls this often and drops it when no answer comes. Default: never. */
  readonly keepaliveMs?: number;
}

/** A gRPC client of one target, whatever carries it. */
export interface RpcClient {
  /** @throws ShoalError with the status the server sent. */
  unary<Req, Res>(method: MethodDefinition<Req, Res>, request: Req, options?: CallOptions): Promise<Res>;
  stream<Req, Res>(method: MethodDefinition<Req, Res>, options?: CallOptions): ClientStream<Req, Res>;
  close(): void;
}
