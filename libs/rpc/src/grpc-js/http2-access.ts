import type { Server } from '@grpc/grpc-js';
import type { Clock } from '@shoal/core';
import type { Http2Server, ServerHttp2Session, ServerOptions } from 'node:http2';
import type { Socket } from 'node:net';
import { endWhenDead } from './dead-session';

/** One stream's receive window: a 224×224 image batch arrives without waiting for a round trip. */
export const streamWindowBytes = 8 * 1024 * 1024;

/** A connection's receive window: shared by its streams, so it has to hold several of theirs. */
export const connectionWindowBytes = 64 * 1024 * 1024;

/** Larger DATA frames mean fewer callbacks for a tensor; the default is 16 KiB. */
const maxFrameBytes = 64 * 1024;

/** The parts of grpc-js 1.14.7's server that have no option: fields of one object, so other servers keep theirs. */
interface ServerInternals {
  commonServerOptions: ServerOptions;
  createHttp2Server(credentials: unknown): Http2Server;
}

/** The connections of one server. */
export interface OpenConnections {
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  /** By the client's address and port: those that have not come as far as HTTP/2, which a shut-down would wait for without end. */
  readonly handshaking: ReadonlyMap<string, Socket>;
}

/**
 * Raises the HTTP/2 receive windows of one grpc-js server. It has no option for that and would keep HTTP/2's 64 KiB,
 * with which uploads of tensors cost twice the time and CPU. A test reads the windows that a client is told, so that
 * a release of grpc-js that moves these fields is noticed.
 *
 * It also drops deadlines of more than 24 days, which grpc-js would cut to 32 bits and often take for past.
 *
 * @returns The server's open connections: without its channelz books, grpc-js's own forceShutdown forgets them.
 */
export function openUp(server: Server, clock: Clock): OpenConnections {
  const internals = server as unknown as ServerInternals;
  const given = internals.commonServerOptions;
  internals.commonServerOptions = {
    ...given,
    settings: { ...given.settings, initialWindowSize: streamWindowBytes, maxFrameSize: maxFrameBytes },
  };
  const sessions = new Set<ServerHttp2Session>();
  const handshaking = new Map<string, Socket>();
  const create = internals.createHttp2Server.bind(server);
  internals.createHttp2Server = (credentials) => {
    const http2Server = create(credentials);
    http2Server.prependListener('stream', (_stream, headers) => {
      const timeout = headers['grpc-timeout'];
      if (typeof timeout === 'string' && isEndless(timeout)) delete headers['grpc-timeout'];
    });
    // Before HTTP/2's own, which makes a session at once where there is no TLS.
    http2Server.prependListener('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      handshaking.set(peer, socket);
      socket.once('close', () => handshaking.delete(peer));
    });
    http2Server.on('session', (session) => {
      handshaking.delete(peerOf(session.socket));
      session.setLocalWindowSize(connectionWindowBytes);
      endWhenDead(session, clock);
      sessions.add(session);
      session.on('close', () => sessions.delete(session));
    });
    return http2Server;
  };
  return { sessions, handshaking };
}

function peerOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Whether a grpc-timeout header asks for more than a 32-bit count of milliseconds. */
function isEndless(timeout: string): boolean {
  const unitMs = { H: 3_600_000, M: 60_000, S: 1000 }[timeout.at(-1) ?? ''];
  return unitMs !== undefined && Number(timeout.slice(0, -1)) * unitMs > 2 ** 31 - 1;
}
