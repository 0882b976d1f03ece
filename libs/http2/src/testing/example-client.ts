import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { seededRandom, systemClock } from '@shoal/core';
import { ClientConnection, type ClientConnectionOptions } from '../client-connection';
import type { HeaderBlock } from '../hpack/header-block';
import { type HeaderPairs, PreparedHeaders } from '../hpack/prepared-headers';
import type { AbortReason, StreamHandler } from '../stream';

export interface Answer {
  readonly headers: HeaderBlock;
  readonly body: Buffer;
  readonly trailers: HeaderBlock | undefined;
}

/** Thrown when a stream is aborted. */
export class Aborted extends Error {
  readonly reason: AbortReason;

  constructor(reason: AbortReason) {
    super(`aborted by ${reason.by} with ${reason.code}`);
    this.reason = reason;
  }
}

export function connectTo(port: number, options: Partial<ClientConnectionOptions> = {}): ClientConnection {
  return clientOn(connect({ port, host: '127.0.0.1', noDelay: true }), options);
}

export function clientOn(socket: Duplex, options: Partial<ClientConnectionOptions> = {}): ClientConnection {
  return new ClientConnection(socket, { clock: systemClock, random: seededRandom(1), ...options });
}

const post = new Map<string, PreparedHeaders>();

/** One whole exchange. */
export function exchange(
  connection: ClientConnection,
  path: string,
  body: Buffer | null = null,
  pairs: HeaderPairs | null = null,
): Promise<Answer> {
  let prepared = post.get(path);
  if (prepared === undefined) {
    prepared = new PreparedHeaders([':method', 'POST', ':scheme', 'http', ':path', path, ':authority', 'here']);
    post.set(path, prepared);
  }
  const head = prepared;
  return new Promise((resolve, reject) => {
    let headers: HeaderBlock | undefined;
    let trailers: HeaderBlock | undefined;
    const parts: Buffer[] = [];
    const handler: StreamHandler = {
      onHeaders: (_stream, block) => (headers = block),
      onData(stream, bytes, start, end) {
        parts.push(Buffer.from(bytes.subarray(start, end)));
        stream.consumed(end - start);
      },
      onTrailers: (_stream, block) => (trailers = block),
      onEnd: () => resolve({ headers: headers!, body: Buffer.concat(parts), trailers }),
      onAborted: (_stream, reason) => reject(new Aborted(reason)),
    };
    const stream = connection.request(head, pairs, handler, body === null);
    if (stream === null) reject(new Error('no capacity'));
    else if (body !== null) stream.write(body, true);
  });
}
