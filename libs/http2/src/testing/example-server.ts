import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { type Clock, seededRandom, systemClock } from '@shoal/core';
import { PreparedHeaders } from '../hpack/prepared-headers';
import type { Http2Limits } from '../limits';
import type { MemoryBudget } from '../memory-budget';
import { ServerConnection } from '../server-connection';
import type { Stream, StreamHandler } from '../stream';

const plain = new PreparedHeaders([':status', '200', 'content-type', 'text/plain']);
const trailers = new PreparedHeaders(['x-end', 'yes']);
const hello = Buffer.from('hello\n');

/** Collects the body and answers with it, or with a greeting where there is none; `/echo-trailers` adds trailers. */
export const echo: StreamHandler = {
  onData(stream, bytes, start, end) {
    (stream.user as Exchange).body.push(Buffer.from(bytes.subarray(start, end)));
    stream.consumed(end - start);
  },
  onEnd(stream) {
    const { body, path } = stream.user as Exchange;
    const whole = body.length === 0 ? hello : Buffer.concat(body);
    stream.sendHeaders(plain);
    if (path !== '/echo-trailers') stream.write(whole, true);
    else {
      stream.write(whole);
      stream.sendTrailers(trailers, ['x-length', String(whole.length)]);
    }
  },
  onAborted: () => undefined,
};

interface Exchange {
  readonly path: string;
  readonly body: Buffer[];
}

export interface ExampleServer {
  readonly port: number;
  readonly connections: Set<ServerConnection>;
  readonly closed: { code: string; message: string; cause?: unknown }[];
  close(): Promise<void>;
}

export interface ExampleOptions {
  readonly limits?: Partial<Http2Limits>;
  readonly memory?: MemoryBudget;
  readonly clock?: Clock;
  readonly onRequest?: (stream: Stream, path: string) => StreamHandler;
}

/** A server that echoes bodies, on a free port of this machine. */
export async function startExampleServer(options: ExampleOptions = {}): Promise<ExampleServer> {
  const connections = new Set<ServerConnection>();
  const closed: ExampleServer['closed'] = [];
  const server = createServer({ noDelay: true }, (socket: Socket) => {
    const connection = new ServerConnection(socket, {
      clock: options.clock ?? systemClock,
      random: seededRandom(1),
      ...(options.limits && { limits: options.limits }),
      ...(options.memory && { memory: options.memory }),
      onRequest(stream, block) {
        const path = block.path?.value ?? '';
        if (options.onRequest) return options.onRequest(stream, path);
        stream.user = { path, body: [] } satisfies Exchange;
        return echo;
      },
      onClosed(reason) {
        connections.delete(connection);
        closed.push(reason);
      },
    });
    connections.add(connection);
  });
  const port = await listen(server);
  return {
    port,
    connections,
    closed,
    async close() {
      for (const connection of connections) connection.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
