import { ShoalError } from '@shoal/core';
import { withStaticReads } from '@shoal/http2';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { TlsOptions } from '../../server';
import { minTlsVersion } from '../../tls/material';
import { type Renewable, isRenewable } from '../../tls/renewable';
import { checkUnixPath, removeStaleSocket, unixPath } from '../../unix-socket';
import { AcceptedConnection, type ConnectionHost } from './accepted-connection';

/** Connections the system completes before we accept them. */
const backlog = 1024;
const handshakeTimeoutMs = 10_000;

/**
 * Sockets whose TLS handshake goes on, by their peer's address: Node does not tell which socket lies below one that speaks TLS.
 * Unix sockets have no address; theirs have the timeout alone.
 */
type Shaking = Map<string, net.Socket>;

/** One address that a server listens at. */
export class Listener {
  /** 0 for a unix socket. */
  readonly port: number;
  readonly #server: net.Server;
  readonly #shaking: Shaking;

  private constructor(server: net.Server, shaking: Shaking) {
    this.#server = server;
    this.#shaking = shaking;
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** @throws ShoalError UNAVAILABLE with the address when it cannot be bound, INVALID_ARGUMENT for what can never be. */
  static async open(
    address: string,
    secure: TlsOptions | Renewable<TlsOptions> | undefined,
    host: ConnectionHost,
  ): Promise<Listener> {
    const target = await targetOf(address);
    const shaking: Shaking = new Map();
    const server = secure ? tlsServer(secure, host, shaking) : plainServer(host);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(address, error)));
      server.listen({ ...target, backlog }, resolve);
    });
    // A connection that could not be accepted (too many open files) is its client's to try again.
    server.removeAllListeners('error').on('error', (error) => host.report(error, address));
    return new Listener(server, shaking);
  }

  /** Takes no more connections; resolves when those it still has are closed. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#shaking.values()) socket.destroy();
    return closed;
  }
}

function plainServer(host: ConnectionHost): net.Server {
  return net.createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    const socket = withStaticReads(accepted, (bytes) => connection.receive(bytes));
    const connection = AcceptedConnection.accept(socket ?? accepted, socket !== undefined, host);
    if (socket === undefined) accepted.resume();
  });
}

function tlsServer(given: TlsOptions | Renewable<TlsOptions>, host: ConnectionHost, shaking: Shaking): net.Server {
  const { clientCa, clientName } = isRenewable(given) ? given.current : given;
  const server = secureServer(given, clientCa !== undefined, host);
  server.on('connection', (socket: net.Socket) => {
    const peer = addressOf(socket);
    if (peer === undefined) return;
    shaking.set(peer, socket);
    socket.once('close', () => {
      if (shaking.get(peer) === socket) shaking.delete(peer);
    });
  });
  server.on('secureConnection', (socket) => {
    shaking.delete(addressOf(socket) ?? '');
    // HTTP/2 over TLS is negotiated (RFC 9113 §3.2); who did not would not speak it.
    if (socket.alpnProtocol !== 'h2' || !hasName(socket, clientName)) socket.destroy();
    else AcceptedConnection.accept(socket, false, host);
  });
  return server;
}

/** One that takes up what is renewed until it closes. */
function secureServer(
  given: TlsOptions | Renewable<TlsOptions>,
  requestCert: boolean,
  host: ConnectionHost,
): tls.Server {
  const first = contextOptions(isRenewable(given) ? given.current : given);
  const options = { ALPNProtocols: ['h2'], handshakeTimeout: handshakeTimeoutMs, noDelay: true, requestCert };
  let server: tls.Server;
  try {
    server = tls.createServer({ ...first, ...options, rejectUnauthorized: requestCert });
  } catch (cause) {
    throw new ShoalError('INVALID_ARGUMENT', 'the TLS certificate, its key or the client CA cannot be used', { cause });
  }
  if (!isRenewable(given)) return server;
  const end = given.onRenewed((renewed) => {
    try {
      server.setSecureContext(contextOptions(renewed));
    } catch (thrown) {
      host.report(thrown, 'TLS');
    }
  });
  // Also emitted by a server that could not be bound and is then closed.
  server.once('close', end);
  return server;
}

function contextOptions({ cert, key, clientCa }: TlsOptions): tls.SecureContextOptions {
  return { cert, key, minVersion: minTlsVersion, ...(clientCa && { ca: clientCa }) };
}

/** Whether the client's certificate, which has been checked, is for `name`. */
function hasName(socket: tls.TLSSocket, name: string | undefined): boolean {
  return name === undefined || tls.checkServerIdentity(name, socket.getPeerCertificate()) === undefined;
}

function addressOf({ remoteAddress, remotePort }: net.Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}

async function targetOf(address: string): Promise<net.ListenOptions> {
  const path = unixPath(address);
  if (path !== undefined) {
    checkUnixPath(path);
    await removeStaleSocket(path);
    return { path };
  }
  const parts = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
  const port = Number(parts?.[3]);
  if (!parts || port > 65_535) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `cannot listen at ${address}: it is not HOST:PORT, [IPv6]:PORT or unix:PATH`,
    );
  }
  return { host: parts[1] ?? parts[2] ?? '', port };
}

function cannotListen(address: string, error: NodeJS.ErrnoException): ShoalError {
  const text = error.code === 'EADDRINUSE' ? 'the address is in use' : (error.code ?? 'the address cannot be bound');
  return new ShoalError('UNAVAILABLE', `cannot listen at ${address}: ${text}`, { cause: error });
}
