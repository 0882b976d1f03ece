import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, systemClock } from '@shoal/core';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { ClientConnection } from './client-connection';
import { ServerConnection } from './server-connection';
import { staticReads, withStaticReads } from './static-reads';
import { exchange } from './testing/example-client';
import type { StreamHandler } from './stream';

let before: string[];
beforeEach(() => (before = openNow()));
afterEach(() => assertNothingOpen(before));

const echo: StreamHandler = {
  onData(stream, bytes, start, end) {
    (stream.user as Buffer[]).push(Buffer.from(bytes.subarray(start, end)));
    stream.consumed(end - start);
  },
  onEnd(stream) {
    stream.sendHeaders(null, [':status', '200']);
    stream.write(Buffer.concat(stream.user as Buffer[]), true);
  },
  onAborted: () => undefined,
};

const rest = { clock: systemClock, random: seededRandom(1), readsAreFed: true };

test.each(['TCP', 'unix'])('many connections share the buffer, over %s', async (kind) => {
  const directory = mkdtempSync(join(tmpdir(), 'shoal-static-'));
  let moved = 0;
  let closed = 0;
  const server = createServer({ pauseOnConnect: true }, (accepted: Socket) => {
    const socket = withStaticReads(accepted, (bytes) => connection.receive(bytes));
    if (!socket) throw new Error('this Node cannot do it');
    moved += 1;
    const connection = new ServerConnection(socket, {
      ...rest,
      onClosed: () => void (closed += 1),
      onRequest(stream) {
        stream.user = [];
        return echo;
      },
    });
  });
  const path = join(directory, 's');
  server.listen(kind === 'unix' ? { path } : { port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const target = kind === 'unix' ? { path } : { port: (server.address() as AddressInfo).port, host: '127.0.0.1' };
  const clients = Array.from({ length: 8 }, () => {
    const socket = connect({ ...target, ...staticReads((bytes) => client.receive(bytes)) });
    const client: ClientConnection = new ClientConnection(socket, rest);
    return client;
  });
  const bodies = clients.map((_, i) => Buffer.alloc(1_000_000 + i, i + 1));
  const answers = await Promise.all(clients.map((client, i) => exchange(client, '/', bodies[i])));
  answers.forEach((answer, i) => expect(answer.body.equals(bodies[i]!)).toBe(true));
  expect(moved).toBe(8);
  for (const client of clients) client.destroy();
  await until(() => closed === 8);
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});
