import * as http2 from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import { flags, frameTypes } from './frames/constants';
import { type ExampleServer, startExampleServer } from './testing/example-server';
import { Aborted, connectTo, exchange } from './testing/example-client';
import { frame, request, settings } from './testing/frames';
import { RawPeer } from './testing/raw-peer';
import type { ServerConnection } from './server-connection';
import type { CloseReason } from './connection';
import type { Stream, StreamHandler } from './stream';

let before: string[];
beforeEach(() => (before = openNow()));
afterEach(() => assertNothingOpen(before));

/** Leaves every request open. */
function keeper(): { streams: Stream[]; aborts: string[]; onRequest: (stream: Stream) => StreamHandler } {
  const streams: Stream[] = [];
  const aborts: string[] = [];
  const handler: StreamHandler = {
    onData: (stream, _bytes, start, end) => stream.consumed(end - start),
    onEnd: () => undefined,
    onAborted: (_stream, reason) => void aborts.push(`${reason.by} ${reason.code}`),
  };
  return {
    streams,
    aborts,
    onRequest: (stream) => {
      streams.push(stream);
      return handler;
    },
  };
}

const ok = (stream: Stream) => stream.sendHeaders(null, [':status', '200'], true);

async function one(server: ExampleServer) {
  await until(() => server.connections.size === 1);
  return [...server.connections][0]!;
}

test('drain: what runs is finished, what came in between is finished, then the connection ends', async () => {
  const kept = keeper();
  const server = await startExampleServer({ onRequest: kept.onRequest });
  const peer = await RawPeer.open(server.port);
  peer.send(request(1, true));
  await until(() => kept.streams.length === 1);
  (await one(server)).drain();
  const first = await peer.until(({ type }) => type === frameTypes.GOAWAY);
  expect(first.payload.readUInt32BE(0)).toBe(0x7fffffff);
  const ping = await peer.until(({ type }) => type === frameTypes.PING);
  peer.send(request(3, true)); // sent before the client saw it
  await until(() => kept.streams.length === 2);
  // The answer to a ping overtakes requests that wait to be written.
  peer.send(frame(frameTypes.PING, flags.ACK, 0, ping.payload), request(5, true));
  await until(() => peer.seen.filter(({ type }) => type === frameTypes.GOAWAY).length === 2);
  expect(peer.seen.findLast(({ type }) => type === frameTypes.GOAWAY)!.payload.readUInt32BE(0)).toBe(5);
  peer.send(request(7, true)); // after the last call
  expect(peer.closed).toBe(false);
  kept.streams.forEach(ok);
  await until(() => peer.closed);
  const answered = peer.seen.filter(({ type }) => type === frameTypes.HEADERS).map(({ streamId }) => streamId);
  expect(answered).toEqual([1, 3, 5]);
  expect(kept.streams.map(({ id }) => id)).toEqual([1, 3, 5]);
  expect(server.closed).toEqual([{ code: 'NO_ERROR', message: 'drained' }]);
  await server.close();
});

test("Node's client and ours are not disturbed by a drain", async () => {
  const kept = keeper();
  const server = await startExampleServer({ onRequest: kept.onRequest });
  let draining = 0;
  const ours = connectTo(server.port, { onDraining: () => draining++ });
  const theirs = http2.connect(`http://127.0.0.1:${server.port}`);
  const answers = [exchange(ours, '/').then(({ headers }) => headers.status)];
  answers.push(
    new Promise((resolve, reject) => {
      const stream = theirs.request({ ':path': '/' });
      stream.on('response', (headers) => resolve(headers[':status']!)).on('error', reject);
      stream.resume();
    }),
  );
  await until(() => kept.streams.length === 2);
  for (const connection of server.connections) connection.drain();
  await until(() => draining === 1);
  expect(ours.hasCapacity).toBe(false);
  await expect(exchange(ours, '/')).rejects.toThrow('no capacity');
  kept.streams.forEach(ok);
  expect(await Promise.all(answers)).toEqual([200, 200]);
  await until(() => ours.state === 'closed' && theirs.destroyed);
  await server.close();
});

test('streams above the last one of a GOAWAY may be asked again', async () => {
  const server = await startExampleServer(keeper());
  const client = connectTo(server.port);
  const answers = [1, 2].map(() => exchange(client, '/').catch((thrown: unknown) => thrown));
  await until(() => [...server.connections][0]?.activeStreams === 2);
  const [connection] = server.connections;
  connection!.output.goAway(1, 0, '');
  const second = (await answers[1]) as Aborted;
  expect(second.reason).toMatchObject({ by: 'peer', unprocessed: true });
  connection!.destroy();
  const first = (await answers[0]) as Aborted;
  expect(first.reason).toMatchObject({ by: 'connection', unprocessed: false });
  await server.close();
});

test('whoever asks again at once does not ask the connection that goes away', async () => {
  const server = await startExampleServer(keeper());
  const client = connectTo(server.port);
  const capacity: boolean[] = [];
  const handler: StreamHandler = {
    onData: () => undefined,
    onEnd: () => undefined,
    onAborted: () => void capacity.push(client.hasCapacity),
  };
  client.request(null, [':method', 'GET', ':scheme', 'http', ':path', '/'], handler);
  await until(() => [...server.connections][0]?.activeStreams === 1);
  [...server.connections][0]!.output.goAway(0, 0, '');
  await until(() => client.state === 'closed');
  expect(capacity).toEqual([false]);
  await server.close();
});

test('a client opens no more streams than the server allows', async () => {
  const kept = keeper();
  const server = await startExampleServer({ onRequest: kept.onRequest, limits: { maxConcurrentStreams: 2 } });
  let capacity = 0;
  const client = connectTo(server.port, { onCapacity: () => capacity++ });
  await until(() => client.state === 'open');
  const answers = [exchange(client, '/'), exchange(client, '/')];
  await expect(exchange(client, '/')).rejects.toThrow('no capacity');
  await until(() => kept.streams.length === 2);
  ok(kept.streams[0]!);
  await until(() => capacity === 1);
  const third = exchange(client, '/');
  await until(() => kept.streams.length === 3);
  kept.streams.slice(1).forEach(ok);
  expect((await Promise.all([...answers, third])).map(({ headers }) => headers.status)).toEqual([200, 200, 200]);
  client.destroy();
  await server.close();
});

test('a reset reaches the other side', async () => {
  const kept = keeper();
  const server = await startExampleServer({ onRequest: kept.onRequest });
  const client = connectTo(server.port);
  const refused = exchange(client, '/').catch((thrown: unknown) => thrown);
  await until(() => kept.streams.length === 1);
  kept.streams[0]!.reset(7);
  expect(((await refused) as Aborted).reason).toEqual({ by: 'peer', code: 7, unprocessed: true });
  const handler = { onData: () => undefined, onEnd: () => undefined, onAborted: () => undefined };
  const stream = client.request(null, [':method', 'GET', ':scheme', 'http', ':path', '/'], handler)!;
  await until(() => kept.streams.length === 2);
  stream.reset(8);
  await until(() => kept.aborts.length === 1);
  expect(kept.aborts).toEqual(['peer 8']);
  client.destroy();
  await server.close();
});

test('an answer before the end of the request asks for no more of it', async () => {
  const server = await startExampleServer({
    onRequest(stream) {
      ok(stream);
      return { onData: () => undefined, onEnd: () => undefined, onAborted: () => undefined };
    },
  });
  const peer = await RawPeer.open(server.port);
  peer.send(request(1, false));
  const reset = await peer.until(({ type }) => type === frameTypes.RST_STREAM);
  expect(reset.payload.readUInt32BE(0)).toBe(0);
  // What is still on its way is ignored, trailers included; the connection goes on.
  peer.send(frame(frameTypes.DATA, 0, 1, Buffer.alloc(10)), request(1, true));
  peer.send(request(3, true));
  await peer.until(({ type, streamId }) => type === frameTypes.HEADERS && streamId === 3);
  peer.destroy();
  await server.close();
});

test('a stream that is over is not held: it is counted out once', async () => {
  const counts: number[] = [];
  const server = await startExampleServer({
    onRequest(stream) {
      const connection = stream.connection as ServerConnection;
      const during = connection.activeStreams;
      ok(stream);
      stream.hold();
      stream.release();
      counts.push(during, connection.activeStreams);
      return { onData: () => undefined, onEnd: () => undefined, onAborted: () => undefined };
    },
  });
  const client = connectTo(server.port);
  await exchange(client, '/');
  expect(counts).toEqual([1, 0]);
  client.destroy();
  await server.close();
});

test('a handler that throws costs its connection only, and is told of', async () => {
  const server = await startExampleServer({
    onRequest: (_stream, path) => {
      if (path === '/bad') throw new Error('a bug');
      return {
        onData: () => undefined,
        onEnd: ok,
        onAborted: () => undefined,
      };
    },
  });
  const [bad, good] = [connectTo(server.port), connectTo(server.port)];
  await expect(exchange(bad, '/bad')).rejects.toThrow('aborted');
  expect((await exchange(good, '/')).headers.status).toBe(200);
  await until(() => server.closed.length === 1);
  expect(server.closed[0]).toMatchObject({ code: 'INTERNAL_ERROR', cause: new Error('a bug') });
  bad.destroy();
  good.destroy();
  await server.close();
});

describe('time', () => {
  const sweep = async (clock: FakeClock, ms: number) => {
    // A turn of the event loop a second, so that what is sent arrives.
    for (let passed = 0; passed < ms; passed += 1000) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  test('who connects and says nothing is disconnected', async () => {
    const clock = new FakeClock();
    const server = await startExampleServer({ clock });
    const peer = await RawPeer.connect(server.port);
    await one(server);
    await sweep(clock, 12_000);
    await until(() => server.closed.length === 1 || peer.goAway !== undefined);
    expect(peer.goAway).toBe('SETTINGS_TIMEOUT');
    peer.destroy();
    await until(() => server.closed.length === 1);
    expect(clock.pending).toBe(0);
    await server.close();
  });

  test('half a header block is not waited for', async () => {
    const clock = new FakeClock();
    const server = await startExampleServer({ clock });
    const peer = await RawPeer.open(server.port);
    peer.send(frame(frameTypes.HEADERS, 0, 1, Buffer.from([0x82])));
    const connection = await one(server);
    await until(() => connection.receiver.assembly.openStream === 1);
    await sweep(clock, 13_000);
    await until(() => peer.goAway !== undefined);
    expect(peer.goAway).toBe('ENHANCE_YOUR_CALM');
    peer.destroy();
    await until(() => server.closed.length === 1);
    await server.close();
  });

  test('an idle connection is closed with notice', async () => {
    const clock = new FakeClock();
    const server = await startExampleServer({ clock, limits: { idleTimeoutMs: 60_000 } });
    const client = connectTo(server.port);
    await exchange(client, '/');
    await sweep(clock, 59_000);
    expect(client.state).toBe('open');
    await sweep(clock, 4000);
    await until(() => client.state === 'closed');
    await until(() => server.closed.length === 1);
    // The client, which has nothing to wait for, leaves at the first notice.
    expect(server.closed[0]).toMatchObject({ code: 'NO_ERROR' });
    await server.close();
  });

  test('an old connection is closed with notice, its streams with it when the grace is over', async () => {
    const clock = new FakeClock();
    const kept = keeper();
    const limits = { maxAgeMs: 60_000, maxAgeGraceMs: 10_000 };
    const server = await startExampleServer({ clock, limits, onRequest: kept.onRequest });
    let draining = false;
    const client = connectTo(server.port, { onDraining: () => (draining = true) });
    const answer = exchange(client, '/').catch((thrown: unknown) => thrown);
    await until(() => kept.streams.length === 1);
    await sweep(clock, 68_000);
    await until(() => draining);
    expect(client.streams.size).toBe(1);
    await sweep(clock, 12_000);
    expect(((await answer) as Aborted).reason.by).toBe('connection');
    expect(kept.aborts).toEqual(['connection 0']);
    await server.close();
  });

  test('a peer that gives no sign of life is taken for dead, one that does is not', async () => {
    const clock = new FakeClock();
    const limits = { keepAliveMs: 5000, keepAliveTimeoutMs: 3000, idleTimeoutMs: 0 };
    const server = await startExampleServer({ clock, limits });
    const silent = await RawPeer.open(server.port); // never answers a PING
    const alive = connectTo(server.port);
    await exchange(alive, '/');
    for (let i = 0; i < 6; i++) {
      await sweep(clock, 2000);
      await new Promise((resolve) => alive.ping(resolve));
    }
    await until(() => silent.closed);
    expect(silent.seen.some(({ type }) => type === frameTypes.PING)).toBe(true);
    expect(server.closed.map(({ message }) => message)).toEqual(['the peer gives no sign of life']);
    expect(alive.state).toBe('open');
    alive.destroy();
    await server.close();
  });

  test('a client asks a silent server for a sign of life only while it waits for an answer', async () => {
    const clock = new FakeClock();
    const seen: Buffer[] = [];
    const server = createServer((socket) => {
      socket.write(settings());
      socket.on('data', (bytes: Buffer) => void seen.push(bytes)).on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const closed: CloseReason[] = [];
    let ready = false;
    const client = connectTo((server.address() as AddressInfo).port, {
      clock,
      limits: { keepAliveMs: 5000, keepAliveTimeoutMs: 3000, idleTimeoutMs: 0, handshakeTimeoutMs: 0 },
      onReady: () => (ready = true),
      onClosed: (reason) => void closed.push(reason),
    });
    await until(() => ready);
    for (let i = 0; i < 20; i++) await sweep(clock, 1000);
    expect(closed).toEqual([]);
    const answer = exchange(client, '/').catch((thrown: unknown) => thrown);
    for (let i = 0; i < 12; i++) await sweep(clock, 1000);
    expect(closed.map(({ message }) => message)).toEqual(['the peer gives no sign of life']);
    expect(await answer).toBeInstanceOf(Aborted);
    await new Promise((resolve) => server.close(resolve));
  });
});
