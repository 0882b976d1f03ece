import assert from 'node:assert';
import { FakeClock, assertNothingOpen, openNow, selfSigned, until } from '@shoal/testing';
import { systemClock } from '@shoal/core';
import type { ClientConnection } from '@shoal/http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { CallContext, Handlers, ServerSettings, StreamCall } from '../../server';
import { echoService } from '../../testing/echo-service';
import { hastyCalls } from '../../testing/hasty-calls';
import { type RawAnswer, framed, rawCall, rawClient, rawStatus } from '../../testing/raw-client';
import { NativeServer } from './native-server';

const { Unary, Chat } = echoService;
const mib = 1024 * 1024;
let openBefore: string[];
let server: NativeServer;
let clients: ClientConnection[];

beforeEach(() => {
  openBefore = openNow();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await server.drain(0);
  assert.deepEqual([server.calls.size, server.deadlines.size, server.room.memory.used, server.held.used], [0, 0, 0, 0]);
  await assertNothingOpen(openBefore);
});

/** A server whose methods pass bytes, and a client of it. */
async function start(handlers: Handlers, settings: Partial<ServerSettings> = {}): Promise<ClientConnection> {
  server = new NativeServer({ clock: systemClock, ...settings });
  server.addService(echoService, handlers, { passthrough: Object.keys(handlers) });
  return open(await server.listen('127.0.0.1:0'));
}

async function open(port: number): Promise<ClientConnection> {
  const client = rawClient(port);
  clients.push(client);
  // Then it knows how many streams it may open.
  await until(() => client.state === 'open');
  return client;
}

async function ask(client: ClientConnection, message: Buffer): Promise<RawAnswer> {
  const answer = rawCall(client, Unary.path);
  answer.stream.write(framed(message), true);
  await until(() => answer.over);
  return answer;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

describe('calls that are given up', () => {
  test('10,000 of them leave nothing behind, and their handlers are told', async () => {
    let working = 0;
    let told = 0;
    const client = await start({
      Unary: (_message: Buffer, call: CallContext) =>
        new Promise((resolve) => {
          working += 1;
          call.onCancel(() => {
            told += 1;
            // As a handler does that has something to put away first.
            queueMicrotask(() => {
              working -= 1;
              resolve(Buffer.alloc(0));
            });
          });
        }),
      Chat: (call: StreamCall<Buffer, Buffer>) => {
        working += 1;
        call.onMessage((message) => call.write(message));
        call.onCancel(() => {
          told += 1;
          working -= 1;
        });
      },
    });
    let current = client;
    const port = await server.listen('127.0.0.1:0');
    for (let sent = 0; sent < 10_000;) {
      const round: RawAnswer[] = [];
      for (let i = 0; i < 500; i += 1, sent += 1) {
        const answer = rawCall(current, i % 2 === 0 ? Unary.path : Chat.path);
        answer.stream.write(framed('x'), i % 2 === 0);
        round.push(answer);
      }
      await until(() => working === 500);
      for (const { stream } of round) stream.reset(8);
      await until(() => working === 0);
      // More on one connection would be an attack.
      if (sent % 1000 === 0) {
        current.destroy();
        current = await open(port);
      }
    }
    expect(told).toBe(10_000);
    await until(() => server.calls.size === 0);
  });

  test('a connection that begins and gives up too many is ended; others are not', async () => {
    const running = new Set<string>();
    let begun = 0;
    const client = await start({
      Chat(call: StreamCall<Buffer, Buffer>) {
        begun += 1;
        const who = call.header('x-who') ?? '';
        running.add(who);
        call.onCancel(() => running.delete(who));
        call.onMessage((message) => call.write(message));
      },
    });
    const healthy = rawCall(client, Chat.path, { 'x-who': 'healthy' });
    const port = await server.listen('127.0.0.1:0');
    const hasty = connectTcp(port, '127.0.0.1').resume();
    const closed = new Promise((resolve) => hasty.on('close', resolve));
    hasty.write(hastyCalls(Chat.path, 'hasty'));
    await closed;
    await until(() => running.size === 1);
    expect([...running]).toEqual(['healthy']);
    expect(begun).toBeLessThan(1200);
    healthy.stream.write(framed('still there'));
    await until(() => healthy.body.length > 0);
    healthy.stream.reset(8);
    await until(() => running.size === 0);
  });

  test('handlers that work on count against the streams of their client', async () => {
    const finish: (() => void)[] = [];
    const client = await start({
      Unary: () => new Promise((resolve) => finish.push(() => resolve(Buffer.alloc(0)))),
    });
    const begin = () => {
      const answer = rawCall(client, Unary.path);
      answer.stream.write(framed('x'), true);
      return answer;
    };
    const calls = Array.from({ length: 1024 }, begin);
    await until(() => finish.length === 1024);
    for (const { stream } of calls) stream.reset(8);
    const refused = begin();
    await until(() => refused.over);
    expect(refused.aborted).toMatchObject({ unprocessed: true });
    for (const end of finish.splice(0)) end();
    await until(() => server.calls.size === 0);
    const accepted = begin();
    await until(() => finish.length === 1);
    finish[0]!();
    await until(() => accepted.over);
    expect(rawStatus(accepted)[0]).toBe('0');
  });

  test('asynchronous handlers that end their calls at once are counted out once, and no other call with them', async () => {
    const cancelled: string[] = [];
    const client = await start({
      Unary: (_message: Buffer, call: CallContext) => new Promise(() => call.onCancel(() => cancelled.push(call.path))),
      async Chat(call: StreamCall<Buffer, Buffer>) {
        await Promise.resolve(call.end());
      },
    });
    const running = rawCall(client, Unary.path);
    running.stream.write(framed('x'), true);
    await until(() => server.calls.size === 1);
    for (let i = 0; i < 3; i += 1) {
      const ended = rawCall(client, Chat.path);
      await until(() => ended.over);
      await turns(3);
    }
    expect(server.calls.size).toBe(1);
    // The drain still knows of the call that runs.
    await server.drain(0);
    expect(cancelled).toEqual([Unary.path]);
  });
});

describe('memory', () => {
  test('messages that come in part are bounded over all connections; whole ones pass', async () => {
    const client = await start({ Unary: (message: Buffer) => message }, { maxPartialBytes: 100_000 });
    const halves = [90_000, 10_000].map((size) => {
      const half = rawCall(client, Unary.path);
      half.stream.write(framed(Buffer.alloc(size)).subarray(0, size));
      return half;
    });
    await until(() => server.room.memory.used === 100_000);
    const other = await open(await server.listen('127.0.0.1:0'));
    const refused = rawCall(other, Unary.path);
    refused.stream.write(framed(Buffer.alloc(20_000)).subarray(0, 10_000));
    await until(() => refused.over);
    expect(rawStatus(refused)[0]).toBe('8');
    expect(rawStatus(refused)[1]).toMatch(/20000 bytes.*100000 bytes/);
    expect(rawStatus(await ask(other, Buffer.alloc(1000)))[0]).toBe('0');
    halves[0]!.stream.reset(8);
    await until(() => server.room.memory.used === 10_000);
    halves[1]!.stream.write(Buffer.alloc(5), true);
    await until(() => halves[1]!.over);
    expect(Buffer.concat(halves[1]!.body)).toHaveLength(10_005);
  });

  test('large messages that are recycled are used again, and are as long as they say', async () => {
    const seen: ArrayBufferLike[] = [];
    const client = await start({
      Unary(message: Buffer, call: CallContext) {
        seen.push(message.buffer);
        const sum = Buffer.from(String(message.reduce((all, byte) => all + byte, message.length)));
        call.recycle(message);
        return sum;
      },
    });
    for (const size of [200_000, 150_000, 262_144]) {
      const answer = await ask(client, Buffer.alloc(size, 3));
      expect(Buffer.concat(answer.body).subarray(5).toString()).toBe(String(size * 4));
    }
    expect(new Set(seen).size).toBe(1);
  });

  test('memory allocated for responses is used again once these were sent', async () => {
    const requests: ArrayBufferLike[] = [];
    const used: ArrayBufferLike[] = [];
    const client = await start({
      Unary(message: Buffer, call: CallContext) {
        requests.push(message.buffer);
        const response = call.allocate(message.length).fill(message[0]!);
        used.push(response.buffer);
        return response;
      },
    });
    for (const [i, size] of [200_000, 150_000, 262_144].entries()) {
      const answer = await ask(client, Buffer.alloc(size, i + 1));
      expect(
        Buffer.concat(answer.body)
          .subarray(5)
          .equals(Buffer.alloc(size, i + 1)),
      ).toBe(true);
    }
    // By the requests that came after them.
    expect(requests.slice(1).map((memory) => used.indexOf(memory))).toEqual([0, 1]);
  });

  test('a paused call holds its client back within a window, and goes on where it was', async () => {
    let call: StreamCall<Buffer, Buffer> | undefined;
    let heard = 0;
    const client = await start({
      Chat(begun: StreamCall<Buffer, Buffer>) {
        call = begun;
        begun.onMessage((message) => {
          heard += message.length;
          if (heard === 65_536) begun.pause();
        });
        begun.onEnd(() => begun.end());
      },
    });
    const answer = rawCall(client, Chat.path);
    for (let i = 0; i < 20 * 16; i += 1) answer.stream.write(framed(Buffer.alloc(65_536)));
    answer.stream.write(Buffer.alloc(0), true);
    await until(() => server.held.used > 7 * mib);
    await turns(200);
    expect(heard).toBe(65_536);
    expect(server.held.used).toBeLessThanOrEqual(8 * mib);
    expect(answer.stream.queuedBytes).toBeGreaterThan(10 * mib);
    call?.resume();
    expect(heard).toBe(65_536);
    await until(() => answer.over);
    expect(heard).toBe(20 * mib);
    expect(server.held.used).toBe(0);
  });

  test('a handler that writes to a client that does not read is told to wait, and when to go on', async () => {
    let written = 0;
    let most = 0;
    let waits = 0;
    const client = await start({
      Chat(call: StreamCall<Buffer, Buffer>) {
        const piece = Buffer.alloc(100_000);
        const go = () => {
          for (; written < 300;) {
            written += 1;
            const more = call.write(piece);
            most = Math.max(most, call.bufferedBytes);
            if (more) continue;
            waits += 1;
            return;
          }
          call.end();
        };
        call.onDrain(go);
        go();
      },
    });
    const answer = rawCall(client, Chat.path, {}, true);
    await until(() => answer.over);
    expect(Buffer.concat(answer.body)).toHaveLength(300 * 100_005);
    expect(waits).toBeGreaterThan(5);
    expect(most).toBeLessThan(1.2 * mib);
  });
});

describe('connections', () => {
  test('calls that come before the client has heard of a drain are served; of those after that, none', async () => {
    const finish: (() => void)[] = [];
    const client = await start({
      Unary: () => new Promise((resolve) => finish.push(() => resolve(Buffer.from('done')))),
    });
    const running = rawCall(client, Unary.path);
    running.stream.write(framed('x'), true);
    await until(() => finish.length === 1);
    const drained = server.drain(60_000);
    const late = rawCall(client, Unary.path);
    late.stream.write(framed('x'), true);
    await until(() => finish.length === 2 && client.state === 'draining');
    expect(() => rawCall(client, Unary.path)).toThrow(/./);
    for (const one of finish) one();
    await until(() => running.over && late.over);
    expect([running, late].map((call) => rawStatus(call)[0])).toEqual(['0', '0']);
    await drained;
  });

  test('they are closed at their age, with notice, and with their calls after the grace', async () => {
    const clock = new FakeClock();
    const cancelled: string[] = [];
    const client = await start(
      {
        Unary: (message: Buffer) => message,
        Chat(call: StreamCall<Buffer, Buffer>) {
          call.onMessage((message) => call.write(message));
          call.onCancel(() => cancelled.push(call.path));
        },
      },
      { clock, maxConnectionAgeMs: 60_000, maxConnectionAgeGraceMs: 5000 },
    );
    const chat = rawCall(client, Chat.path);
    chat.stream.write(framed('hello'));
    await until(() => chat.body.length > 0);
    clock.advance(54_000 - 1);
    expect(rawStatus(await ask(client, Buffer.from('x')))[0]).toBe('0');
    for (let i = 0; i < 13 && client.state === 'open'; i += 1) {
      clock.advance(1000);
      await turns(20);
    }
    expect(client.state).toBe('draining');
    expect(cancelled).toEqual([]);
    clock.advance(6000);
    await until(() => client.state === 'closed');
    expect(cancelled).toEqual([Chat.path]);
  });

  test('a client that gives no sign of life is given up', async () => {
    const clock = new FakeClock();
    const cancelled: string[] = [];
    const client = await start(
      { Chat: (call: StreamCall<Buffer, Buffer>) => call.onCancel(() => cancelled.push(call.path)) },
      { clock, keepaliveMs: 5000, keepaliveTimeoutMs: 3000 },
    );
    const chat = rawCall(client, Chat.path);
    await until(() => server.calls.size === 1);
    // It answers pings, so it stays.
    for (let i = 0; i < 20; i += 1) {
      clock.advance(1000);
      await turns(3);
    }
    expect([chat.over, cancelled]).toEqual([false, []]);
    clock.advance(20_000);
    await until(() => chat.over);
    expect(cancelled).toEqual([Chat.path]);
  });

  test('over TLS, who has not shaken hands does not hold up a drain; who does not ask for h2 is turned away', async () => {
    const { cert, key } = selfSigned();
    await start({ Unary: (message: Buffer) => message });
    const port = await server.listen('localhost:0', { cert, key });
    const silent = connectTcp(port, 'localhost').resume();
    silent.on('error', () => undefined);
    const closed = new Promise((resolve) => silent.on('close', resolve));
    const strange = connectTls({ port, host: 'localhost', ca: cert });
    strange.on('error', () => undefined).resume();
    await new Promise((resolve) => strange.on('close', resolve));
    expect([strange.authorized, strange.alpnProtocol]).toEqual([true, false]);
    await server.drain(1000);
    await closed;
  });

  test('a certificate that is none, and an address that is none, are refused with a reason', async () => {
    await start({});
    const none = Buffer.from('none');
    await expect(server.listen('127.0.0.1:0', { cert: none, key: none })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    for (const address of ['nowhere', '127.0.0.1:65536', '127.0.0.1:', 'a:b:1']) {
      await expect(server.listen(address)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(address) as string,
      });
    }
    await expect(server.listen('203.0.113.1:1')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await server.listen('[::1]:0')).toBeGreaterThan(0);
  });
});
