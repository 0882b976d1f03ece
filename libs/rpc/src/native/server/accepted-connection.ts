import { systemRandom } from '@shoal/core';
import {
  type HeaderBlock,
  type Http2Limits,
  type MemoryBudget,
  ServerConnection,
  type Stream,
  type StreamHandler,
} from '@shoal/http2';
import type { Socket } from 'node:net';
import { refuse } from './answer';
import { httpAnswer } from './http-answer';
import type { Sending } from './output-guard';
import { requestHead } from './request-head';
import type { RouteTable } from './route';
import type { CallConnection, CallServer, ServerCall } from './server-call';
import { NativeStreamCall } from './stream-call';
import { UnaryCall } from './unary-call';

/** What connections need of their server. */
export interface ConnectionHost extends CallServer {
  readonly routes: RouteTable;
  readonly limits: Partial<Http2Limits>;
  /** Counts what has come and waits here because its call is paused. */
  readonly held: MemoryBudget;
  /** No new calls are taken. */
  readonly draining: boolean;
  opened(connection: AcceptedConnection): void;
  closed(connection: AcceptedConnection): void;
}

/** Of all calls: what happens to a stream happens to its call. */
const toCall: StreamHandler = {
  onData: (stream, bytes, start, end) => (stream.user as ServerCall).reader.push(bytes, start, end),
  onEnd: (stream) => (stream.user as ServerCall).reader.end(),
  onWritable: (stream) => (stream.user as ServerCall).onWritable(),
  onAborted: (stream) => (stream.user as ServerCall).abort(),
};

const toNobody: StreamHandler = {
  onData: (stream, _bytes, start, end) => stream.consumed(end - start),
  onEnd: () => undefined,
  onAborted: () => undefined,
};

/** A client's connection: calls begin here. */
export class AcceptedConnection implements CallConnection, Sending {
  readonly peer: string;
  readonly #host: ConnectionHost;
  readonly #connection: ServerConnection;

  /** @param fed bytes are given to `receive` by who reads the socket */
  static accept(socket: Socket, fed: boolean, host: ConnectionHost): AcceptedConnection {
    const connection = new AcceptedConnection(socket, fed, host);
    host.opened(connection);
    if (host.draining) connection.drain();
    return connection;
  }

  private constructor(socket: Socket, fed: boolean, host: ConnectionHost) {
    this.#host = host;
    const peer = socket.remoteAddress === undefined ? 'unix' : `${socket.remoteAddress}:${socket.remotePort ?? 0}`;
    this.peer = peer;
    this.#connection = new ServerConnection(socket, {
      clock: host.clock,
      random: systemRandom,
      limits: host.limits,
      memory: host.held,
      readsAreFed: fed,
      onRequest: (stream, block) => this.#request(stream, block),
      onClosed({ code, cause }) {
        if (code === 'INTERNAL_ERROR' && cause !== undefined) host.report(cause, peer);
      },
    });
    // Later than `onClosed`: then nothing of it is left.
    socket.once('close', () => host.closed(this));
  }

  get waitingBytes(): number {
    const { output, sender } = this.#connection;
    return sender.queuedBytes + output.pending;
  }

  get takenBytes(): number {
    return this.#connection.output.taken;
  }

  receive(bytes: Buffer): void {
    this.#connection.receive(bytes);
  }

  drain(): void {
    this.#connection.drain();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #request(stream: Stream, block: HeaderBlock): StreamHandler {
    const host = this.#host;
    const head = requestHead(block, host.routes);
    if (head.httpStatus !== 0) return httpAnswer(head.httpStatus, block.method);
    const { route } = head;
    // Also while the server drains: the client has not heard of it yet, and many do not try again by themselves.
    if (head.refusal !== undefined) refuse(stream, head.refusal);
    else if (route !== undefined) {
      stream.handler = toCall;
      if (route.requestStream || route.responseStream) {
        const call = new NativeStreamCall(host, this, stream, block, head, route);
        stream.user = call;
        if (route.requestStream) call.begin();
      } else stream.user = new UnaryCall(host, this, stream, block, head, route);
      return toCall;
    }
    return toNobody;
  }
}
