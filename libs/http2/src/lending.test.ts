import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { connectTo, exchange } from './testing/example-client';
import { startExampleServer } from './testing/example-server';
import type { Stream, StreamHandler } from './stream';

let before: string[];
beforeEach(() => (before = openNow()));
afterEach(() => assertNothingOpen(before));

const idle: StreamHandler = { onData: () => undefined, onEnd: () => undefined, onAborted: () => undefined };

/** Answers every request with these pieces, and notes when each is released. */
function pieces(sizes: readonly number[], released: number[], writable: () => void = () => undefined) {
  return (stream: Stream): StreamHandler => {
    stream.sendHeaders(null, [':status', '200']);
    for (const size of sizes) {
      stream.write(
        Buffer.alloc(size, size % 251),
        false,
        Buffer.of(size % 256),
        (data) => void released.push(data.length),
      );
    }
    return { ...idle, onWritable: writable, onEnd: (ended) => ended.sendTrailers(null, ['x-end', '1']) };
  };
}

test('pieces of all sizes arrive in order and are released, each once, in order', async () => {
  const sizes = [1, 100, 8191, 8192, 16_383, 16_384, 70_000, 5, 300_000, 1_000_000, 0, 9];
  const released: number[] = [];
  let writable = 0;
  const server = await startExampleServer({ onRequest: pieces(sizes, released, () => (writable += 1)) });
  const client = connectTo(server.port);
  const { body, trailers } = await exchange(client, '/');
  const wanted = sizes.map((size) => Buffer.concat([Buffer.of(size % 256), Buffer.alloc(size, size % 251)]));
  expect(body.equals(Buffer.concat(wanted))).toBe(true);
  expect(trailers?.get('x-end')).toBe('1');
  await until(() => released.length === sizes.length);
  expect(released.toSorted((a, b) => a - b)).toEqual(sizes.toSorted((a, b) => a - b));
  client.destroy();
  await server.close();
  expect(released).toHaveLength(sizes.length);
});

test('what is lent is looked at until it is released: changing it then harms nobody', async () => {
  const buffers: Buffer[] = [];
  const server = await startExampleServer({
    onRequest: (stream) => {
      stream.sendHeaders(null, [':status', '200']);
      let left = 40;
      const next = () => {
        // One buffer after the other is used again as soon as it comes back.
        const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(100_000);
        buffer.fill(left);
        left -= 1;
        stream.write(buffer, left === 0, null, (data) => {
          (data as Buffer).fill(255);
          buffers.push(data as Buffer);
        });
      };
      next();
      return { ...idle, onWritable: next };
    },
  });
  const client = connectTo(server.port);
  const { body } = await exchange(client, '/');
  const wanted = Array.from({ length: 40 }, (_, i) => Buffer.alloc(100_000, 40 - i));
  expect(body.equals(Buffer.concat(wanted))).toBe(true);
  expect(buffers.length).toBeLessThanOrEqual(2);
  client.destroy();
  await server.close();
});

test('the user is told to go on only when the socket has taken what was lent', async () => {
  let told = 0;
  const released: number[] = [];
  const server = await startExampleServer({ onRequest: pieces([5_000_000], released, () => (told += 1)) });
  // A peer that reads nothing for a while.
  const sockets: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect({ port: server.port, host: '127.0.0.1' });
    sockets.push(near, far);
    near.pipe(far);
    far.once('data', (settings: Buffer) => {
      near.write(settings);
      far.pause();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const client = connectTo((proxy.address() as AddressInfo).port);
  const answer = exchange(client, '/');
  await until(() => [...server.connections].some((connection) => connection.activeStreams > 0));
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect([told, released]).toEqual([0, []]);
  const [near, far] = sockets as [Socket, Socket];
  far.pipe(near);
  expect((await answer).body).toHaveLength(5_000_001);
  await until(() => released.length === 1);
  client.destroy();
  for (const socket of sockets) socket.destroy();
  proxy.close();
  await server.close();
});

test.each(['reset', 'connection'] as const)('after a %s everything comes back, each once', async (how) => {
  const released: number[] = [];
  const sizes = Array.from({ length: 20 }, (_, i) => 100_000 + i);
  const server = await startExampleServer({ onRequest: pieces(sizes, released) });
  const client = connectTo(server.port, { limits: { streamWindow: 1_000_000 } });
  const aborted = exchange(client, '/').catch((thrown: unknown) => thrown);
  const stream = client.request(
    null,
    [':method', 'POST', ':scheme', 'http', ':path', '/', ':authority', 'x'],
    idle,
    true,
  );
  await until(() => released.length > 5);
  if (how === 'reset') stream?.reset(8);
  client.destroy();
  await aborted;
  await until(() => released.length === sizes.length * 2);
  await server.close();
  expect(released.toSorted((a, b) => a - b)).toEqual(sizes.flatMap((size) => [size, size]));
});
