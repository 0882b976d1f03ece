import type { Clock, Random } from '@shoal/core';
import { ClientConnection, type CloseReason, type Http2Limits, staticReads } from '@shoal/http2';
import { connect } from 'node:net';
import * as tls from 'node:tls';
import { reasonOfClose, reasonOfError } from './failure-reason';
import { connectTimeoutMs } from './settings';
import type { Target } from './target';

/** Whom to connect to, and how. */
export interface Dialling {
  readonly target: Target;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Partial<Http2Limits>;
  readonly tls: { readonly context: () => tls.SecureContext; readonly serverName: string | undefined } | undefined;
}

/** Told of an attempt and of the connection it became. */
export interface AttemptEvents {
  /** The server has answered: calls may be sent. */
  connected(connection: ClientConnection): void;
  /** It never will. */
  failed(reason: string): void;
  onDraining(connection: ClientConnection): void;
  onCapacity(connection: ClientConnection): void;
  closed(connection: ClientConnection): void;
}

/** One attempt to connect: a name is looked up, a socket opened, TLS agreed on, and the server's first word awaited. */
export class Attempt {
  readonly #dialling: Dialling;
  readonly #events: AttemptEvents;
  readonly #cancelTimer: () => void;
  #socket: tls.TLSSocket | undefined;
  #connection: ClientConnection | undefined;
  #settled = false;

  constructor(dialling: Dialling, events: AttemptEvents) {
    this.#dialling = dialling;
    this.#events = events;
    this.#cancelTimer = dialling.clock.schedule(connectTimeoutMs, () => this.#fail('it does not answer'));
    if (dialling.tls) this.#secure(dialling.tls);
    else this.#plain();
  }

  /** Gives up what has not become a connection; nobody is told. */
  abandon(): void {
    if (!this.#settle()) return;
    this.#connection?.destroy();
    this.#socket?.destroy();
  }

  #plain(): void {
    const { address } = this.#dialling.target;
    const socket = connect({
      ...address,
      noDelay: true,
      ...staticReads((bytes) => this.#connection?.receive(bytes)),
    });
    this.#speak(socket, true);
  }

  #secure({ context, serverName }: NonNullable<Dialling['tls']>): void {
    const { address } = this.#dialling.target;
    const servername = serverName === undefined ? {} : { servername: serverName };
    const socket = tls.connect({ ...address, ...servername, secureContext: context(), ALPNProtocols: ['h2'] });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => this.#fail(reasonOfError(error)));
    const closed = () => this.#fail('it ended the TLS handshake');
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      if (this.#settled) return;
      socket.off('close', closed);
      // HTTP/2 over TLS is negotiated (RFC 9113 §3.2); who did not would not speak it.
      if (socket.alpnProtocol === 'h2') this.#speak(socket, false);
      else this.#fail('it does not offer HTTP/2');
    });
  }

  #speak(socket: ReturnType<typeof connect>, readsAreFed: boolean): void {
    const events = this.#events;
    const { clock, random, limits } = this.#dialling;
    const connection: ClientConnection = new ClientConnection(socket, {
      clock,
      random,
      limits,
      readsAreFed,
      onReady: () => {
        if (this.#settle()) events.connected(connection);
      },
      onCapacity: () => events.onCapacity(connection),
      onDraining: () => events.onDraining(connection),
      onClosed: (reason) => this.#closed(connection, reason),
    });
    this.#connection = connection;
  }

  #closed(connection: ClientConnection, reason: CloseReason): void {
    if (this.#settled) this.#events.closed(connection);
    else this.#fail(reasonOfClose(reason));
  }

  #fail(reason: string): void {
    if (!this.#settle()) return;
    this.#connection?.destroy();
    this.#socket?.destroy();
    this.#events.failed(reason);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelTimer();
    return true;
  }
}
