import { type Random, type ShoalError, seededRandom } from '@shoal/core';
import { MemoryBudget } from '@shoal/http2';
import { FakeClock, until } from '@shoal/testing';
import { deflateSync, gzipSync } from 'node:zlib';
import { MessagePool } from './message-pool';
import { messagePrefix } from './message-prefix';
import { MessageReader, type MessageSink } from './message-reader';
import { PartialMessages } from './partial-messages';

function framed(message: Buffer, compressed = false): Buffer {
  return Buffer.concat([messagePrefix(message.length, compressed), message]);
}

function bytesOf(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (i * 7 + seed) % 256;
  return bytes;
}

function setUp({ maxBytes = 1 << 24, memoryLimit = 1 << 26 } = {}) {
  const memory = new MemoryBudget(memoryLimit);
  const pool = new MessagePool();
  const heard: Buffer[] = [];
  const ends: (ShoalError | 'end')[] = [];
  const state = { consumed: 0, sent: 0 };
  const sink: MessageSink = {
    received: (message) => void heard.push(message),
    receivedAll: () => void ends.push('end'),
    unreadable: (error) => void ends.push(error),
  };
  const source = {
    // As a stream does: no more than it has handed out.
    consumed: (bytes: number) => void (state.consumed += Math.min(bytes, state.sent - state.consumed)),
  };
  const reader = new MessageReader(source, { memory, pool }, maxBytes, sink);
  /** Sends bytes in pieces out of one buffer that is overwritten afterwards, as a static read buffer is. */
  const send = (bytes: Buffer, random?: Random) => {
    for (let at = 0; at < bytes.length;) {
      const size = random ? 1 + Math.floor(random.next() ** 4 * 100_000) : bytes.length;
      const piece = Buffer.concat([Buffer.alloc(3), bytes.subarray(at, at + size)]);
      state.sent += piece.length - 3;
      reader.push(piece, 3, piece.length);
      piece.fill(0xee);
      at += size;
    }
  };
  return { reader, send, heard, ends, memory, pool, sink, state };
}

test('messages cut anywhere are put together; every byte is given back', () => {
  const seed = 7;
  const random = seededRandom(seed);
  const { reader, send, heard, ends, memory, state } = setUp();
  const sizes = [0, 1, 5, 63, 64, 65, 4096, 65_535, 65_536, 300_000, 0, 0, 2];
  const messages = Array.from({ length: 200 }, (_, i) => bytesOf(sizes[Math.floor(random.next() * sizes.length)]!, i));
  const wire = Buffer.concat(messages.map((message) => framed(message)));
  send(wire, random);
  reader.end();
  expect(heard).toHaveLength(messages.length);
  heard.forEach((message, i) => expect(message.equals(messages[i]!)).toBe(true));
  expect(ends).toEqual(['end']);
  expect(memory.used).toBe(0);
  expect(state.consumed).toBe(wire.length);
});

test('what has begun to come is counted until it is whole, or given up', () => {
  const { reader, send, memory, pool, heard } = setUp();
  const wire = framed(bytesOf(100_000, 1));
  send(wire.subarray(0, 1000));
  expect(memory.used).toBe(100_000);
  send(wire.subarray(1000));
  expect(heard[0]!.equals(bytesOf(100_000, 1))).toBe(true);
  expect(memory.used).toBe(0);
  send(wire.subarray(0, 1000));
  reader.close();
  expect(memory.used).toBe(0);
  expect(pool.idleBytes).toBe(131_072);
});

test.each([
  [
    'larger than allowed',
    { maxBytes: 1000 },
    framed(Buffer.alloc(1001)).subarray(0, 5),
    'RESOURCE_EXHAUSTED',
    /^Received message larger than max \(1001 vs 1000\)$/,
  ],
  ['of 4 GiB', {}, Buffer.from([0, 255, 255, 255, 255]), 'RESOURCE_EXHAUSTED', /4294967295 vs/],
  [
    'beyond the memory',
    { memoryLimit: 999 },
    framed(Buffer.alloc(1000)).subarray(0, 50),
    'RESOURCE_EXHAUSTED',
    /1000 bytes.*999/,
  ],
  ['with a strange flag', {}, Buffer.from([2, 0, 0, 0, 0]), 'INTERNAL', /flag/],
  ['compressed with nothing', {}, framed(Buffer.from('x'), true), 'INTERNAL', /was identity/],
])('a message %s breaks the stream, once', (_name, limits, bytes, code, text) => {
  const { reader, send, ends, heard, memory, state } = setUp(limits);
  send(bytes);
  send(framed(Buffer.from('more')));
  reader.end();
  expect(ends).toEqual([expect.objectContaining({ code, message: expect.stringMatching(text) as string })]);
  expect(heard).toEqual([]);
  expect(memory.used).toBe(0);
  expect(state.consumed).toBe(state.sent);
});

test('of a large message no more is counted than it has shown to need', () => {
  const { reader, send, memory, heard } = setUp({ maxBytes: 1 << 30 });
  const message = bytesOf(10_000_000, 9);
  const wire = framed(message);
  send(wire.subarray(0, 5));
  expect(memory.used).toBe(1 << 20);
  send(wire.subarray(5, 3_000_000));
  expect(memory.used).toBe(4 << 20);
  send(wire.subarray(3_000_000, 8_000_000));
  expect(memory.used).toBe(10_000_000);
  send(wire.subarray(8_000_000), seededRandom(1));
  expect(heard[0]!.equals(message)).toBe(true);
  expect(heard[0]).toHaveLength(message.length);
  expect(memory.used).toBe(0);
  reader.end();
});

test('when memory is short, the messages that come slowly make room; those that come quickly or are new do not', () => {
  const clock = new FakeClock();
  const memory = new MemoryBudget(1_000_000);
  const room = { memory, pool: new MessagePool(), partials: new PartialMessages(clock, memory) };
  const ends: string[] = [];
  const begin = (name: string, declared: number, sent: number) => {
    const sink: MessageSink = {
      received: () => void ends.push(`${name} came`),
      receivedAll: () => undefined,
      unreadable: ({ code }) => void ends.push(`${name} ${code}`),
    };
    const reader = new MessageReader({ consumed: () => undefined }, room, 1 << 24, sink);
    const bytes = framed(Buffer.alloc(declared)).subarray(0, 5 + sent);
    reader.push(bytes, 0, bytes.length);
    return reader;
  };
  begin('quick', 600_000, 500_000);
  begin('silent', 200_000, 0);
  begin('slow', 100_000, 10_000);
  clock.advance(249);
  begin('early', 300_000, 0);
  expect(ends).toEqual(['early RESOURCE_EXHAUSTED']);
  clock.advance(1);
  begin('next', 300_000, 1000);
  expect(ends.splice(0)).toEqual(['early RESOURCE_EXHAUSTED', 'silent RESOURCE_EXHAUSTED']);
  expect(memory.used).toBe(1_000_000);
  begin('small', 50_000, 1000);
  expect(ends.splice(0)).toEqual(['slow RESOURCE_EXHAUSTED']);
  begin('greedy', 400_000, 1000);
  expect(ends.splice(0)).toEqual(['greedy RESOURCE_EXHAUSTED']);
  expect(room.partials.size).toBe(3);
  begin('whole', 900, 900);
  expect(ends).toEqual(['whole came']);
});

test.each([1, 5, 7])('a stream that ends after %d bytes of a message is broken', (count) => {
  const { reader, send, ends } = setUp();
  send(framed(Buffer.from('whole')));
  send(framed(Buffer.from('cut')).subarray(0, count));
  reader.end();
  expect(ends).toEqual([expect.objectContaining({ code: 'INTERNAL' })]);
});

test('paused, it holds what comes and gives no window back; resumed, nothing is lost', async () => {
  const { reader, send, heard, ends, state, sink } = setUp();
  const messages = Array.from({ length: 100 }, (_, i) => bytesOf(i * 37, i));
  const pauses: number[] = [];
  sink.received = (message) => {
    heard.push(message);
    // In the middle of a chunk, and again for each tenth.
    if (heard.length % 10 === 0) {
      pauses.push(heard.length);
      reader.pause();
    }
  };
  const wire = Buffer.concat(messages.map((message) => framed(message)));
  send(wire, seededRandom(3));
  reader.end();
  expect(heard).toHaveLength(10);
  expect(state.consumed).toBe(Buffer.concat(messages.slice(0, 10)).length + 50);
  for (let before = 1; before < 10; before += 1) {
    reader.resume();
    expect(pauses).toHaveLength(before);
    await until(() => pauses.length > before);
  }
  expect(ends).toEqual([]);
  reader.resume();
  await until(() => ends.length > 0);
  expect(ends).toEqual(['end']);
  heard.forEach((message, i) => expect(message.equals(messages[i]!)).toBe(true));
  expect(state.consumed).toBe(wire.length);
});

test('paused and resumed within a message, it goes on at once', () => {
  const { reader, send, heard, sink } = setUp();
  sink.received = (message) => {
    reader.pause();
    reader.resume();
    heard.push(message);
  };
  send(Buffer.concat([framed(Buffer.from('a')), framed(Buffer.from('b'))]));
  expect(heard.map(String)).toEqual(['a', 'b']);
});

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
])('%s: small and large messages come inflated, in order, some of them not compressed', async (encoding, compress) => {
  const { reader, send, heard, ends, memory, sink } = setUp();
  const flags: boolean[] = [];
  sink.received = (message, compressed) => {
    heard.push(message);
    flags.push(compressed);
  };
  reader.encoding = encoding;
  const messages = [10, 3_000_000, 0, 200_000, 70_000, 5].map((size, i) => bytesOf(size, i));
  messages.push(Buffer.alloc(5_000_000)); // small on the wire
  for (const message of messages) send(framed(compress(message), true), seededRandom(5));
  send(framed(Buffer.from('as it is')));
  reader.end();
  await until(() => ends.length > 0);
  expect(ends).toEqual(['end']);
  heard.forEach((message, i) => expect(message.equals(messages[i] ?? Buffer.from('as it is'))).toBe(true));
  expect(flags).toEqual([...messages.map(() => true), false]);
  expect(memory.used).toBe(0);
});

test.each([
  ['a bomb', gzipSync(Buffer.alloc(1 << 24)), { maxBytes: 1 << 20 }, 'RESOURCE_EXHAUSTED', /larger than 1048576/],
  ['a small bomb', gzipSync(Buffer.alloc(1001)), { maxBytes: 1000 }, 'RESOURCE_EXHAUSTED', /larger than 1000/],
  ['more than the memory', gzipSync(Buffer.alloc(1 << 22)), { memoryLimit: 1 << 20 }, 'RESOURCE_EXHAUSTED', /no room/],
  ['garbage', Buffer.from('garbage'), {}, 'INTERNAL', /^Failed to decompress message$/],
  ['much garbage', Buffer.alloc(20_000, 7), {}, 'INTERNAL', /^Failed to decompress message$/],
  ['half of it', gzipSync(bytesOf(40_000, 1)).subarray(0, 100), {}, 'INTERNAL', /^Failed to decompress message$/],
])('%s is refused, and what it took is given back', async (_name, bytes, limits, code, text) => {
  const { reader, send, ends, heard, memory } = setUp(limits);
  reader.encoding = 'gzip';
  send(framed(bytes, true));
  await until(() => ends.length > 0);
  expect(ends).toEqual([expect.objectContaining({ code, message: expect.stringMatching(text) as string })]);
  expect(heard).toEqual([]);
  expect(memory.used).toBe(0);
});

test('closed while it inflates, it says nothing more', async () => {
  const { reader, send, ends, heard, memory } = setUp();
  reader.encoding = 'gzip';
  send(framed(gzipSync(bytesOf(1 << 23, 1)), true));
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  reader.close();
  expect(memory.used).toBe(0);
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  expect([heard, ends]).toEqual([[], []]);
});

test('an encoding nobody knows is UNIMPLEMENTED', () => {
  const { reader, send, ends } = setUp();
  reader.encoding = 'br';
  send(framed(Buffer.from('x'), true));
  expect(ends).toEqual([
    expect.objectContaining({ code: 'UNIMPLEMENTED', message: expect.stringContaining('"br"') as string }),
  ]);
});
