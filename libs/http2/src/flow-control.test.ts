import * as http2 from 'node:http2';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { frameTypes } from './frames/constants';
import { type Answer, connectTo, exchange } from './testing/example-client';
import { startExampleServer } from './testing/example-server';
import { frame, request, settings, word } from './testing/frames';
import { RawPeer } from './testing/raw-peer';
import type { Stream, StreamHandler } from './stream';

let before: string[];
beforeEach(() => (before = openNow()));
afterEach(() => assertNothingOpen(before));

const initialWindow = 4;

test.each([1, 7, 100])('a client with a window of %i octets gets it all', async (window) => {
  const server = await startExampleServer();
  const client = http2.connect(`http://127.0.0.1:${server.port}`, { settings: { initialWindowSize: window } });
  const body = Buffer.alloc(window * 300, 'abc');
  const stream = client.request({ ':method': 'POST', ':path': '/echo-trailers' });
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => void parts.push(part));
  stream.end(body);
  await new Promise<void>((resolve, reject) => stream.on('end', resolve).on('error', reject));
  expect(Buffer.concat(parts).equals(body)).toBe(true);
  client.destroy();
  await server.close();
});

test('our client keeps to a small window too', async () => {
  const server = await startExampleServer({ limits: { streamWindow: 200, connectionWindow: 65_535 } });
  const client = connectTo(server.port, { limits: { streamWindow: 200, connectionWindow: 65_535 } });
  const bodies = [1, 2, 3].map((n) => Buffer.alloc(n * 40_000, n));
  const answers = await Promise.all(bodies.map((body) => exchange(client, '/', body)));
  answers.forEach((answer, i) => expect(answer.body.equals(bodies[i]!)).toBe(true));
  client.destroy();
  await server.close();
});

test("a stream that is opened as soon as the server's settings come has their window once", async () => {
  const server = await startExampleServer({ limits: { streamWindow: 100 } });
  const answers: Promise<Answer>[] = [];
  const body = Buffer.alloc(250, 'x');
  const client = connectTo(server.port, { onReady: () => void answers.push(exchange(client, '/', body)) });
  await until(() => answers.length > 0);
  expect((await answers[0]!).body.equals(body)).toBe(true);
  await new Promise((resolve) => client.ping(resolve));
  expect(answers).toHaveLength(1);
  client.destroy();
  await server.close();
});

test('a window is opened by consuming only', async () => {
  let stream: Stream | undefined;
  let received = 0;
  const lazy: StreamHandler = {
    onData: (_stream, _bytes, start, end) => void (received += end - start),
    onEnd: (ended) => ended.sendHeaders(null, [':status', '200'], true),
    onAborted: () => undefined,
  };
  const server = await startExampleServer({
    limits: { streamWindow: 100_000 },
    onRequest: (opened) => {
      stream = opened;
      return lazy;
    },
  });
  const client = connectTo(server.port);
  const answer = exchange(client, '/', Buffer.alloc(250_000));
  await until(() => received === 100_000);
  await new Promise((resolve) => client.ping(resolve)); // and stays there
  expect(received).toBe(100_000);
  stream!.consumed(49_999); // not worth a frame yet
  await new Promise((resolve) => client.ping(resolve));
  expect(received).toBe(100_000);
  stream!.consumed(50_001);
  await until(() => received === 200_000);
  stream!.consumed(100_000);
  expect((await answer).headers.status).toBe(200);
  client.destroy();
  await server.close();
});

test('write tells when to wait, and onWritable when to go on', async () => {
  const events: string[] = [];
  const source: StreamHandler = {
    onData: () => undefined,
    onEnd(stream) {
      stream.sendHeaders(null, [':status', '200']);
      events.push(`small ${stream.write(Buffer.alloc(10))}`);
      events.push(`large ${stream.write(Buffer.alloc(200_000))}`);
    },
    onWritable(stream) {
      events.push('writable');
      stream.write(Buffer.alloc(5), true);
    },
    onAborted: () => undefined,
  };
  const server = await startExampleServer({ onRequest: () => source });
  const peer = await RawPeer.open(server.port, [initialWindow, 65_535]);
  peer.send(request(1, true));
  await until(() => dataOf(peer) === 65_535);
  expect(events).toEqual(['small true', 'large false']);
  peer.send(frame(frameTypes.WINDOW_UPDATE, 0, 0, word(200_000)), frame(frameTypes.WINDOW_UPDATE, 0, 1, word(200_000)));
  await until(() => dataOf(peer) === 200_015);
  expect(events).toEqual(['small true', 'large false', 'writable']);
  peer.destroy();
  await server.close();
});

test('a window made smaller may go below zero, and comes back', async () => {
  const server = await startExampleServer();
  const peer = await RawPeer.open(server.port, [initialWindow, 3]);
  peer.send(request(1, true));
  await until(() => dataOf(peer) === 3);
  peer.send(settings([initialWindow, 0]));
  peer.send(frame(frameTypes.WINDOW_UPDATE, 0, 1, word(3))); // to 0
  await peer.until(({ type, streamId }) => type === frameTypes.SETTINGS && streamId === 0);
  expect(dataOf(peer)).toBe(3);
  peer.send(settings([initialWindow, 3]));
  await until(() => dataOf(peer) === 6);
  peer.destroy();
  await server.close();
});

test('streams take turns', async () => {
  const source: StreamHandler = {
    onData: () => undefined,
    onEnd(stream) {
      stream.sendHeaders(null, [':status', '200']);
      stream.write(Buffer.alloc(400_000), true);
    },
    onAborted: () => undefined,
  };
  const server = await startExampleServer({ onRequest: () => source });
  const peer = await RawPeer.open(server.port, [initialWindow, 1 << 20]);
  peer.send(request(1, true), request(3, true), request(5, true));
  await until(() => dataOf(peer) === 65_535);
  peer.send(frame(frameTypes.WINDOW_UPDATE, 0, 0, word(300_000)));
  await until(() => dataOf(peer) === 365_535);
  const perStream = [1, 3, 5].map((id) => dataOf(peer, id));
  for (const bytes of perStream) expect(bytes).toBeGreaterThan(60_000);
  peer.destroy();
  await server.close();
});

function dataOf(peer: RawPeer, streamId?: number): number {
  let bytes = 0;
  for (const { type, streamId: id, payload } of peer.seen) {
    if (type === frameTypes.DATA && (streamId === undefined || id === streamId)) bytes += payload.length;
  }
  return bytes;
}
