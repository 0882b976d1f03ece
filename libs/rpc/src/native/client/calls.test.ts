import type { MethodDefinition } from '@grpc/grpc-js';
import { type Random, type ShoalError, seededRandom } from '@shoal/core';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer } from '../../create-server';
import type { CallContext, RpcServer, StreamCall } from '../../server';
import { echoService } from '../../testing/echo-service';
import { NativeClient } from './native-client';

const { Unary, Chat } = echoService;
const UnaryBytes = Unary as unknown as MethodDefinition<Buffer, Buffer>;
const ChatBytes = Chat as unknown as MethodDefinition<Buffer, Buffer>;
const passthrough = { passthrough: true };
const folder = mkdtempSync(path.join(tmpdir(), 'client-'));
afterAll(() => rmSync(folder, { recursive: true }));

let openBefore: string[];
let serverClock: FakeClock;
let server: RpcServer;
let target: string;
let clients: NativeClient[];
let cancelled: number;
let begun: number;

beforeEach(async () => {
  openBefore = openNow();
  serverClock = new FakeClock();
  clients = [];
  cancelled = 0;
  begun = 0;
  server = createServer({ clock: serverClock, carrier: 'native' });
  server.addService(
    echoService,
    {
      Unary(bytes: Buffer, call: CallContext) {
        begun += 1;
        if (bytes.toString('latin1', 0, 4) !== 'wait') return bytes;
        return new Promise<Buffer>((resolve) =>
          call.onCancel(() => {
            cancelled += 1;
            resolve(bytes);
          }),
        );
      },
      Chat(call: StreamCall<Buffer, Buffer>) {
        call.onMessage((bytes) => call.write(bytes));
        call.onEnd(() => call.end());
        call.onCancel(() => (cancelled += 1));
      },
    },
    { passthrough: ['Unary', 'Chat'] },
  );
  target = `127.0.0.1:${await server.listen('127.0.0.1:0')}`;
});

afterEach(async () => {
  for (const client of clients) client.close();
  const drained = server.drain(0);
  await until(() => serverClock.pending > 0 || openNow().length <= openBefore.length);
  serverClock.advance(10_000);
  await drained;
  await assertNothingOpen(openBefore);
});

/** Bytes of `kinds` kinds, in no order that could be compressed away. */
function noise(size: number, kinds: number, random: Random): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i += 1) bytes[i] = random.next() * kinds;
  return bytes;
}

function clientOf(options = {}, to = target): NativeClient {
  const client = new NativeClient(to, options);
  clients.push(client);
  return client;
}

test('deadlines of many calls take one timer, pass in time and are told to the server', async () => {
  const clock = new FakeClock();
  const client = clientOf({ clock });
  await client.unary(Unary, 'x');
  const idle = clock.pending;
  const ends: number[] = [];
  const errors: unknown[] = [];
  const calls = Array.from({ length: 500 }, (_, i) =>
    client.unary(Unary, 'wait', { timeoutMs: 1000 + i }).catch((error: unknown) => {
      ends.push(i);
      errors.push(error);
    }),
  );
  await until(() => begun === 501);
  expect(clock.pending).toBe(idle + 1);
  clock.advance(999);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual([]);
  clock.advance(250);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual(Array.from({ length: 250 }, (_, i) => i));
  clock.advance(250);
  await Promise.all(calls);
  const late = expect.objectContaining({ code: 'DEADLINE_EXCEEDED', message: 'Deadline exceeded' }) as object;
  expect(errors).toEqual(errors.map(() => late));
  expect(client.deadlines.size).toBe(0);
  await until(() => cancelled === 500);
  await expect(client.unary(Unary, 'x', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  expect(begun).toBe(501);
});

test('ten thousand cancelled calls leave nothing behind', async () => {
  const clock = new FakeClock();
  const client = clientOf({ clock });
  await client.unary(Unary, 'x');
  const idle = clock.pending;
  for (let round = 1; round <= 10; round += 1) {
    const aborts: AbortController[] = [];
    const calls = Array.from({ length: 1000 }, (_, i) => {
      const abort = new AbortController();
      aborts.push(abort);
      if (i % 2 === 0) return client.unary(Unary, 'wait', { signal: abort.signal, timeoutMs: 1e6 });
      const stream = client.stream(Chat, { signal: abort.signal });
      stream.write('x');
      return new Promise((_resolve, reject) => stream.onEnd(reject));
    });
    await until(() => begun >= round * 500);
    for (const abort of aborts) abort.abort();
    for (const end of await Promise.allSettled(calls)) {
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED' } });
    }
    await until(() => cancelled === round * 1000);
    for (let i = 0; i < 10; i += 1) serverClock.advance(1000); // honest clients do that in minutes
  }
  expect(client.deadlines.size).toBe(0);
  await client.unary(Unary, 'x', { timeoutMs: 1000 });
  expect(clock.pending).toBeLessThanOrEqual(idle + 1);
  client.close();
  await until(() => clock.pending === 0);
}, 60_000);

test.each(['unix', 'tcp'])('both ends send large messages at once, over %s', async (kind) => {
  let to = target;
  if (kind === 'unix') {
    to = `unix:${path.join(folder, 'both.sock')}`;
    await server.listen(to);
  }
  const client = clientOf(passthrough, to);
  const size = 3_000_000;
  const count = 12;
  const stream = client.stream(ChatBytes);
  let heard = 0;
  stream.onMessage((bytes) => {
    expect(bytes.length).toBe(size + heard);
    expect(bytes[0]).toBe(heard);
    expect(bytes.at(-1)).toBe(heard);
    heard += 1;
  });
  const end = new Promise((resolve) => stream.onEnd(resolve));
  // Nobody waits for anybody: both sockets are full all the time.
  for (let i = 0; i < count; i += 1) stream.write(Buffer.alloc(size + i, i));
  stream.end();
  const calls = Array.from({ length: 8 }, (_, i) => client.unary(UnaryBytes, Buffer.alloc(5_000_000, 100 + i)));
  for (const [i, bytes] of (await Promise.all(calls)).entries())
    expect(bytes.equals(Buffer.alloc(5_000_000, 100 + i))).toBe(true);
  expect(await end).toBeUndefined();
  expect(heard).toBe(count);
});

test('messages of every size come back as they were, streamed and compressed too', async () => {
  const seed = 20;
  const random = seededRandom(seed);
  const client = clientOf(passthrough);
  const sizes = [0, 1, 63, 64, 65, 4096, 16_379, 16_380, 16_384, 65_531, 65_536, 262_144, 262_145, 400_000];
  const messages = sizes.map((size) => noise(size, 4, random));
  for (const compression of [undefined, 'gzip', 'deflate'] as const) {
    const options = compression ? { compression } : {};
    const answers = await Promise.all(messages.map((bytes) => client.unary(UnaryBytes, bytes, options)));
    expect(answers.every((bytes, i) => messages[i]?.equals(bytes))).toBe(true);
    const stream = client.stream(ChatBytes, options);
    const heard: Buffer[] = [];
    stream.onMessage((bytes) => heard.push(bytes));
    for (const bytes of messages) stream.write(bytes);
    stream.end();
    await expect(new Promise((resolve) => stream.onEnd(resolve))).resolves.toBeUndefined();
    expect(heard.map((bytes) => bytes.length)).toEqual(sizes);
    expect(heard.every((bytes, i) => messages[i]?.equals(bytes))).toBe(true);
  }
});

test.each([undefined, 'gzip'] as const)(
  'a writer is told to wait, and to go on (compression %s)',
  async (compression) => {
    const client = clientOf(passthrough);
    await client.unary(UnaryBytes, Buffer.from('x')); // connected
    const stream = client.stream(ChatBytes, compression ? { compression } : {});
    stream.onMessage(() => undefined);
    stream.pause();
    let drains = 0;
    const random = seededRandom(1);
    const bytes = noise(400_000, 256, random);
    let go: (() => void) | undefined;
    stream.onDrain(() => {
      drains += 1;
      go?.();
    });
    let waits = 0;
    for (let i = 0; i < 20; i += 1) {
      if (stream.write(bytes)) continue;
      waits += 1;
      expect(stream.bufferedBytes).toBeGreaterThanOrEqual(1024 * 1024);
      const drained = new Promise<void>((resolve) => (go = resolve));
      if (i > 5) stream.resume();
      await drained;
      expect(stream.bufferedBytes).toBeLessThan(1024 * 1024);
    }
    expect(waits).toBeGreaterThan(0);
    expect(drains).toBe(waits);
    stream.resume();
    stream.end();
    await expect(new Promise((resolve) => stream.onEnd(resolve))).resolves.toBeUndefined();
  },
);

test('a paused stream holds back the server', async () => {
  const client = clientOf(passthrough);
  const stream = client.stream(ChatBytes);
  let heard = 0;
  stream.onMessage((bytes) => (heard += bytes.length));
  stream.pause();
  const total = 40 * 1_000_000;
  for (let i = 0; i < 40; i += 1) stream.write(Buffer.alloc(1_000_000));
  stream.end();
  for (let i = 0; i < 50; i += 1) await client.unary(UnaryBytes, Buffer.from('turn'));
  expect(heard).toBe(0);
  stream.resume();
  await expect(new Promise((resolve) => stream.onEnd(resolve))).resolves.toBeUndefined();
  expect(heard).toBe(total);
});

test('what a callback throws is nobody else’s problem', async () => {
  const client = clientOf(passthrough);
  const thrown: unknown[] = [];
  // Jest lets nobody catch what it takes for a test's own failure.
  const { queueMicrotask: later } = globalThis;
  globalThis.queueMicrotask = (act) =>
    later(() => {
      try {
        act();
      } catch (error) {
        thrown.push(error);
      }
    });
  const stream = client.stream(ChatBytes);
  stream.onMessage(() => {
    throw new Error('a bug of a user');
  });
  stream.write(Buffer.from('x'));
  const answer = client.unary(UnaryBytes, Buffer.from('y')).catch((error: unknown) => error as ShoalError);
  await expect(answer).resolves.toEqual(Buffer.from('y'));
  await until(() => thrown.length > 0);
  expect(thrown).toEqual([new Error('a bug of a user')]);
  globalThis.queueMicrotask = later;
  stream.cancel();
});
