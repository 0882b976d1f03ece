import { assertNothingOpen, FakeClock, openNow, until } from '@shoal/testing';
import { flags, frameTypes } from './frames/constants';
import { MemoryBudget } from './memory-budget';
import { connectTo, exchange } from './testing/example-client';
import { type ExampleOptions, type ExampleServer, startExampleServer } from './testing/example-server';
import { block, frame, request, settings, word } from './testing/frames';
import { RawPeer } from './testing/raw-peer';
import type { Stream, StreamHandler } from './stream';

const { CONTINUATION, DATA, HEADERS, PING, PRIORITY, RST_STREAM, WINDOW_UPDATE } = frameTypes;
const calm = 'ENHANCE_YOUR_CALM';
const mib = 1 << 20;

let before: string[];
beforeEach(() => (before = openNow()));
afterEach(() => assertNothingOpen(before));

const silent: StreamHandler = {
  onData: (stream, _bytes, start, end) => stream.consumed(end - start),
  onEnd: () => undefined,
  onAborted: () => undefined,
};

/** Bytes this process holds, the attacker's side included. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

interface Attack {
  readonly options?: ExampleOptions;
  readonly own?: [number, number][];
  readonly run: (peer: RawPeer, server: ExampleServer) => Promise<void>;
  /** Whether the attacker's connection is ended, rather than the attack merely borne. */
  readonly ends?: boolean;
  /** What may be held more, meanwhile, in MiB. Garbage of the flood itself included. */
  readonly memory?: number;
}

/** During each attack, a neighbour's calls are answered. */
async function withstand(attack: Attack): Promise<ExampleServer> {
  const server = await startExampleServer(attack.options);
  const neighbour = connectTo(server.port);
  await exchange(neighbour, '/');
  const peer = await RawPeer.open(server.port, ...(attack.own ?? []));
  const start = held();
  let most = start;
  let served = 0;
  const over = new AbortController();
  const serving = (async () => {
    while (!over.signal.aborted || served === 0) {
      const { headers } = await exchange(neighbour, '/', Buffer.from('me too'));
      expect(headers.status).toBe(200);
      served++;
      most = Math.max(most, held());
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await attack.run(peer, server);
  most = Math.max(most, held());
  if (attack.ends === true) {
    await until(() => peer.goAway !== undefined || peer.closed, 'the attack is ended');
  }
  over.abort();
  await serving;
  expect(served).toBeGreaterThan(0);
  expect((most - start) / mib).toBeLessThan(attack.memory ?? 64);
  expect(neighbour.state).toBe('open');
  peer.destroy();
  neighbour.destroy();
  await server.close();
  return server;
}

/** Answers everything at once. */
const answering: ExampleOptions = {
  onRequest: (stream) => {
    stream.sendHeaders(null, [':status', '200'], true);
    return silent;
  },
};
/** Leaves requests for `/slow` open, and answers others: the neighbour's. */
const slow = (path: string, stream: Stream, open: Stream[]): StreamHandler => {
  if (path === '/slow') open.push(stream);
  else stream.sendHeaders(null, [':status', '200'], true);
  return silent;
};

test('rapid reset (CVE-2023-44487)', async () => {
  let handlers = 0;
  const open: Stream[] = [];
  await withstand({
    options: {
      onRequest: (stream, path) => {
        handlers++;
        return slow(path, stream, open);
      },
    },
    ends: true,
    run: (peer) =>
      peer.flood(100_000, (i) =>
        Buffer.concat([request(2 * i + 1, true, '/slow'), frame(RST_STREAM, 0, 2 * i + 1, word(8))]),
      ),
  });
  expect(open.length).toBeLessThan(1500);
  expect(handlers).toBeGreaterThan(1000);
});

test('rapid reset of streams whose handlers go on working', async () => {
  const open: Stream[] = [];
  let most = 0;
  await withstand({
    options: {
      limits: { resetBurst: 1e9, glitchBurst: 1e9, maxConcurrentStreams: 100 },
      onRequest: (stream, path) => {
        if (path === '/slow') stream.hold();
        return slow(path, stream, open);
      },
    },
    async run(peer, server) {
      await peer.flood(3000, (i) =>
        Buffer.concat([request(2 * i + 1, true, '/slow'), frame(RST_STREAM, 0, 2 * i + 1, word(8))]),
      );
      most = Math.max(...[...server.connections].map(({ activeStreams }) => activeStreams));
      await peer.until(({ type, payload }) => type === RST_STREAM && payload.readUInt32BE(0) === 7);
    },
  });
  expect(most).toBe(100);
  expect(open.length).toBe(100);
});

test('made-you-reset (CVE-2025-8671)', () =>
  withstand({
    options: { onRequest: (stream, path) => slow(path, stream, []) },
    ends: true,
    run: (peer) =>
      // A window update of nothing is a stream error: we are the ones who reset.
      peer.flood(100_000, (i) =>
        Buffer.concat([request(2 * i + 1, true, '/slow'), frame(WINDOW_UPDATE, 0, 2 * i + 1, word(0))]),
      ),
  }).then(({ closed }) => expect(closed.map(({ code }) => code)).toContain(calm)));

test('CONTINUATION flood (CVE-2024-27316)', () =>
  withstand({
    ends: true,
    run: async (peer) => {
      peer.send(frame(HEADERS, 0, 1, block(':method', 'GET')));
      await peer.flood(100_000, () => frame(CONTINUATION, 0, 1, block('x-more', 'x'.repeat(1000))));
    },
  }).then(({ closed }) => expect(closed.map(({ message }) => message)).toContain('header block too large')));

test('HPACK bomb: a large entry and many references to it', () => {
  const bomb = Buffer.concat([
    Buffer.from([0x82, 0x86, 0x84]),
    Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]), // x: 4,000 octets, indexed
    Buffer.alloc(4000, 0x61),
    Buffer.alloc(12_000, 0xbe), // index 62
  ]);
  return withstand({
    ends: true,
    run: (peer) =>
      peer.flood(2000, (i) =>
        frame(HEADERS, flags.END_HEADERS | flags.END_STREAM, 2 * i + 1, i === 0 ? bomb : bomb.subarray(4006)),
      ),
  }).then(({ closed }) => expect(closed.map(({ message }) => message)).toContain('too many useless frames'));
});

const resetByUs = Buffer.concat([request(1, false), frame(WINDOW_UPDATE, 0, 1, word(0))]);

test.each<[string, (i: number) => Buffer]>([
  ['SETTINGS', () => settings([4, 65_535])],
  ['empty SETTINGS', () => settings()],
  ['PING', () => frame(PING, 0, 0, Buffer.alloc(8))],
  ['unasked PING acknowledgements', () => frame(PING, flags.ACK, 0, Buffer.alloc(8))],
  ['PRIORITY', (i) => frame(PRIORITY, 0, 2 * i + 101, Buffer.concat([word(1), Buffer.from([1])]))],
  ['unknown frames', () => frame(0x77, 0, 0)],
  ['tiny WINDOW_UPDATE', () => frame(WINDOW_UPDATE, 0, 0, word(1))],
  ['empty DATA', (i) => (i === 0 ? request(1, false) : frame(DATA, 0, 1))],
  ['DATA on closed streams', (i) => (i === 0 ? request(1, true) : frame(DATA, 0, 1, Buffer.from('x')))],
  ['HEADERS on a stream that was reset', (i) => (i === 0 ? resetByUs : request(1, true))],
  ['DATA on a stream that was reset', (i) => (i === 0 ? resetByUs : frame(DATA, 0, 1, Buffer.from('x')))],
  ['WINDOW_UPDATE of a closed stream', (i) => (i === 0 ? request(1, true) : frame(WINDOW_UPDATE, 0, 1, word(1000)))],
  ['refused streams', (i) => request(2 * i + 1, false)],
])('flood of %s', async (_what, bytes) => {
  const { closed } = await withstand({ ends: true, run: (peer) => peer.flood(200_000, bytes) });
  expect(closed.map(({ code }) => code)).toContain(calm);
});

test('useful work earns back what pings cost', async () => {
  const { closed } = await withstand({
    options: answering,
    async run(peer) {
      await peer.flood(6000, (i) => (i % 2 === 0 ? request(i + 1, true) : frame(PING, 0, 0, Buffer.alloc(8))));
      await peer.until(({ type, streamId }) => type === HEADERS && streamId === 5999);
    },
  });
  expect(closed.map(({ code }) => code)).not.toContain(calm);
});

test('zero window: answers that may not be sent are few, and not kept for ever', async () => {
  const clock = new FakeClock();
  const answer = Buffer.alloc(mib);
  let begun = 0;
  const kept = await withstand({
    options: {
      clock,
      limits: { maxConcurrentStreams: 50, maxQueuedBytes: 20 * mib, stallTimeoutMs: 30_000 },
      onRequest: (stream, path) => {
        if (path !== '/large') return slow(path, stream, []);
        begun++;
        stream.sendHeaders(null, [':status', '200']);
        stream.write(answer, true);
        return silent;
      },
    },
    own: [[4, 0]],
    async run(peer, server) {
      await peer.flood(60, (i) => request(2 * i + 1, true, '/large'));
      await peer.until(({ type, payload }) => type === RST_STREAM && payload.readUInt32BE(0) === 7);
      const connection = [...server.connections].find(({ sender }) => sender.queuedBytes > 0)!;
      expect(connection.sender.queuedBytes).toBe(21 * mib);
      for (let i = 0; i < 33; i++) clock.advance(1000);
      expect(connection.sender.queuedBytes).toBe(0);
      expect(connection.sender.blocked.size).toBe(0);
    },
  });
  expect(begun).toBe(21);
  expect(kept.closed).toHaveLength(2); // orderly ends of both connections
});

test('slow read: a client that reads nothing', async () => {
  const clock = new FakeClock();
  const answer = Buffer.alloc(4 * mib);
  const { closed } = await withstand({
    options: {
      clock,
      limits: { maxQueuedBytes: 20 * mib, stallTimeoutMs: 30_000 },
      onRequest: (stream, path) => {
        if (path !== '/large') return slow(path, stream, []);
        stream.sendHeaders(null, [':status', '200']);
        stream.write(answer, true);
        return silent;
      },
    },
    own: [[4, 0x7fffffff]],
    ends: true,
    async run(peer, server) {
      peer.socket.pause();
      peer.send(frame(WINDOW_UPDATE, 0, 0, word(0x7fff0000 - 65_535)));
      await peer.flood(500, (i) => request(2 * i + 1, true, '/large'));
      await until(() => [...server.connections].some(({ sender }) => sender.queuedBytes > 15 * mib));
      const connection = [...server.connections].find(({ sender }) => sender.queuedBytes > 0)!;
      expect(connection.sender.queuedBytes).toBeLessThan(25 * mib);
      expect(connection.output.pending).toBeLessThan(2 * mib);
      for (let i = 0; i < 33; i++) clock.advance(1000);
      peer.socket.resume();
    },
  });
  expect(closed.map(({ message }) => message)).toContain('the peer does not read');
});

test('slow read: an octet of window now and then is no progress', async () => {
  const clock = new FakeClock();
  const aborts: string[] = [];
  await withstand({
    options: {
      clock,
      limits: { stallTimeoutMs: 30_000 },
      onRequest: (stream, path) => {
        if (path !== '/large') return slow(path, stream, []);
        stream.sendHeaders(null, [':status', '200']);
        stream.write(Buffer.alloc(mib), true);
        return { ...silent, onAborted: (_stream, { by, code }) => void aborts.push(`${by} ${code}`) };
      },
    },
    own: [[4, 0]],
    async run(peer) {
      peer.send(request(1, true, '/large'));
      for (let i = 0; i < 33 && aborts.length === 0; i++) {
        peer.send(frame(WINDOW_UPDATE, 0, 1, word(100)));
        await peer.until(({ type }) => type === HEADERS);
        clock.advance(1000);
      }
      await peer.until(({ type }) => type === RST_STREAM);
    },
  });
  expect(aborts).toEqual(['us 8']);
});

test('headers of answers that nobody reads', async () => {
  const large = 'x'.repeat(8000);
  const { closed } = await withstand({
    options: {
      limits: { maxPendingBytes: mib },
      onRequest: (stream, path) => {
        if (path === '/large') stream.sendHeaders(null, [':status', '200', 'x-large', large], true);
        else stream.sendHeaders(null, [':status', '200'], true);
        return silent;
      },
    },
    ends: true,
    async run(peer) {
      peer.socket.pause();
      for (let i = 0; i < 60 && !peer.closed; i++) {
        const from = i * 100;
        peer.send(...Array.from({ length: 100 }, (_, k) => request(2 * (from + k) + 1, true, '/large')));
        await new Promise((resolve) => setImmediate(resolve));
      }
      peer.socket.resume();
    },
  });
  expect(closed).toContainEqual(expect.objectContaining({ code: calm, message: 'the peer does not read' }));
});

test('half-sent messages: bytes nobody consumes are bounded, per connection and in all', async () => {
  const memory = new MemoryBudget(8 * mib);
  const aborts: number[] = [];
  const keeping: StreamHandler = {
    onData: () => undefined, // kept, since the message is not whole
    onEnd: () => undefined,
    onAborted: (_stream, { code }) => void aborts.push(code),
  };
  await withstand({
    options: {
      memory,
      limits: { streamWindow: mib, connectionWindow: 6 * mib },
      onRequest: (stream, path) => (path === '/large' ? keeping : slow(path, stream, [])),
    },
    async run(peer, server) {
      const second = await RawPeer.open(server.port);
      const part = Buffer.alloc(16_384);
      for (const attacker of [peer, second]) {
        // Each within its own windows: five streams of a MiB.
        await attacker.flood(5 * 65, (i) => {
          const id = 2 * Math.floor(i / 65) + 1;
          return i % 65 === 0 ? request(id, false, '/large') : frame(DATA, 0, id, part);
        });
      }
      await until(() => aborts.length > 0);
      expect(memory.used).toBeLessThanOrEqual(8 * mib);
      expect(memory.used).toBeGreaterThan(6 * mib);
      second.destroy();
      await until(() => memory.used <= 5 * mib);
    },
  });
  expect(new Set(aborts.slice(0, 2))).toEqual(new Set([11]));
  expect(memory.used).toBe(0);
});
