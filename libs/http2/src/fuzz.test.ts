import { type Random, seededRandom, systemRandom } from '@shoal/core';
import { Duplex } from 'node:stream';
import { FakeClock } from '@shoal/testing';
import { ClientConnection } from './client-connection';
import type { CloseReason } from './connection';
import { clientPreface, flags, frameTypes } from './frames/constants';
import { ServerConnection } from './server-connection';
import { echo } from './testing/example-server';
import { block, frame, request, settings, word } from './testing/frames';

/*
 * Mutated conversations, in memory. FUZZ_FRAMES says how many frames at least (default: a short run), FUZZ_SEED which.
 */
const frames = Number(process.env['FUZZ_FRAMES'] ?? 20_000);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(systemRandom.next() * 2 ** 32));

const { CONTINUATION, DATA, GOAWAY, HEADERS, PING, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE } =
  frameTypes;

/** A sink that is never slow, and remembers nothing but how much it got. */
class Sink extends Duplex {
  bytes = 0;
  constructor() {
    super({ read: () => undefined });
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.bytes += chunk.length;
    done();
  }
}

/** Legal for the most part: what is not is what this is about, but ends a conversation. */
function anyFrame(random: Random, ids: { last: number }, isServer: boolean): Buffer {
  const payload = Buffer.alloc(Math.floor(random.next() * 60), 'abc');
  const known = Math.max(1, ids.last - 2 * Math.floor(random.next() * 12));
  const fresh = () => (isServer ? (ids.last += 2) : known);
  const odd = random.next() < 0.02;
  switch (Math.floor(random.next() * 14)) {
    case 0:
    case 1:
    case 2:
      return request(fresh(), random.next() < 0.5, '/echo-trailers', 'x-a', 'b');
    case 3: {
      const begun = frame(HEADERS, 0, fresh(), block(':method', 'GET', ':scheme', 'http', ':path', '/'));
      if (odd) return begun;
      return Buffer.concat([
        begun,
        frame(CONTINUATION, flags.END_HEADERS, begun.readUInt32BE(5), block('x-more', 'y')),
      ]);
    }
    case 4:
      return frame(HEADERS, flags.END_HEADERS | (odd ? 0 : flags.END_STREAM), known, block('x', 'y'));
    case 5:
      return frame(HEADERS, flags.END_HEADERS, odd ? fresh() : known, block(':status', '200', 'x', 'y'));
    case 6:
    case 7:
      return frame(DATA, random.next() < 0.3 ? flags.END_STREAM : 0, known, payload);
    case 8:
      return frame(DATA, flags.PADDED, known, Buffer.concat([Buffer.from([3]), payload, Buffer.alloc(3)]));
    case 9:
      return random.next() < 0.5
        ? settings([1, Math.floor(random.next() * 5000)], [4, Math.floor(random.next() * 70_000)])
        : frame(SETTINGS, flags.ACK, 0);
    case 10:
      return frame(PING, random.next() < 0.3 ? flags.ACK : 0, 0, Buffer.alloc(8));
    case 11:
      return frame(WINDOW_UPDATE, 0, random.next() < 0.5 ? 0 : known, word(1 + Math.floor(random.next() * 70_000)));
    case 12:
      return odd ? frame(GOAWAY, 0, 0, Buffer.concat([word(known), word(0)])) : frame(RST_STREAM, 0, known, word(8));
    default:
      if (odd) return frame(PUSH_PROMISE, 0, known, payload);
      return random.next() < 0.5
        ? frame(0x42, 0, known, payload)
        : frame(PRIORITY, 0, known, Buffer.concat([word(3), Buffer.from([1])]));
  }
}

/** Flips, cuts or repeats a few octets, seldom enough that conversations go on for a while. */
function mutate(bytes: Buffer, random: Random): Buffer {
  if (random.next() < 0.95) return bytes;
  const at = Math.floor(random.next() * bytes.length);
  if (random.next() < 0.7) {
    const changed = Buffer.from(bytes);
    changed[at] = Math.floor(random.next() * 256);
    return changed;
  }
  return random.next() < 0.5 ? bytes.subarray(0, at) : Buffer.concat([bytes, bytes.subarray(at)]);
}

test(`mutated conversations, ${frames} frames, FUZZ_SEED=${seed}`, async () => {
  const random = seededRandom(seed);
  const clock = new FakeClock();
  const ends = new Map<string, number>();
  const causes: unknown[] = [];
  let sent = 0;
  let rounds = 0;
  const note = (reason: CloseReason) => {
    ends.set(reason.code, (ends.get(reason.code) ?? 0) + 1);
    if (reason.cause !== undefined) causes.push(reason.cause);
  };
  for (; sent < frames; rounds++) {
    const round = rounds;
    const socket = new Sink();
    const isServer = round % 3 !== 0;
    const options = { clock, random, onClosed: note, readsAreFed: true };
    const connection = isServer
      ? new ServerConnection(socket, { ...options, onRequest: startEcho })
      : new ClientConnection(socket, options);
    const ids = { last: -1 };
    if (isServer) connection.receive(clientPreface);
    connection.receive(settings([4, 65_535]));
    for (let i = 0; i < 200 && connection.state !== 'closing' && connection.state !== 'closed'; i++) {
      // A server answers streams that its client has opened.
      if (connection instanceof ClientConnection && connection.request(null, requestPairs, ignore)) ids.last += 2;
      const bytes = mutate(anyFrame(random, ids, isServer), random);
      sent++;
      const cut = Math.floor(random.next() * bytes.length);
      connection.receive(Buffer.from(bytes.subarray(0, cut)));
      connection.receive(Buffer.from(bytes.subarray(cut)));
      if (connection.activeStreams > 1024) throw new Error('too many streams');
      if (random.next() < 0.01) clock.advance(1000);
    }
    connection.destroy();
    expect(connection.streams.size).toBe(0);
    expect(connection.sender.blocked.size).toBe(0);
    expect(connection.sender.queuedBytes).toBe(0);
    // What was scheduled happens.
    if (round % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(200_000);
  expect(causes).toEqual([]); // no bug of ours showed
  expect(clock.pending).toBe(0);
  // It is no fuzzing if conversations never begin, or never go wrong.
  expect(ends.get('PROTOCOL_ERROR')).toBeGreaterThan(0);
  expect(sent / rounds).toBeGreaterThan(12);
});

const requestPairs = [':method', 'GET', ':scheme', 'http', ':path', '/'];
const ignore = { onData: () => undefined, onEnd: () => undefined, onAborted: () => undefined };
const startEcho: ConstructorParameters<typeof ServerConnection>[1]['onRequest'] = (stream, head) => {
  stream.user = { path: head.path?.value ?? '', body: [] };
  return echo;
};
