import { type ShoalError, systemClock } from '@shoal/core';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import { type AddressInfo, type Socket, createServer as createNetServer } from 'node:net';
import type { RpcClientOptions } from '../../client';
import { createServer } from '../../create-server';
import type { CallContext, RpcServer, ServerSettings, StreamCall } from '../../server';
import { echoService } from '../../testing/echo-service';
import { frame } from '../../testing/frame';
import { ScriptedServer, answerWith, onFrames, relayTo } from '../../testing/scripted-server';
import { NativeClient } from './native-client';

const { Unary, Chat } = echoService;
let openBefore: string[];
let clock: FakeClock;
let closing: (() => unknown)[];
let waiting: CallContext[];

beforeEach(() => {
  openBefore = openNow();
  clock = new FakeClock();
  closing = [];
  waiting = [];
});

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  await assertNothingOpen(openBefore);
  await until(() => clock.pending === 0);
});

function clientOf(target: string, options: RpcClientOptions = {}): NativeClient {
  const client = new NativeClient(target, { clock, random: { next: () => 0.5 }, ...options });
  closing.push(() => client.close());
  return client;
}

async function serve(address = '127.0.0.1:0', settings: Partial<ServerSettings> = {}): Promise<[RpcServer, string]> {
  const server = createServer({ clock: systemClock, carrier: 'native', ...settings });
  server.addService(echoService, {
    Unary(text: string, call: CallContext) {
      if (text !== 'wait') return text;
      waiting.push(call);
      return new Promise<string>((resolve) => call.onCancel(() => resolve('')));
    },
    Chat(call: StreamCall<string, string>) {
      call.onMessage((text) => call.write(text));
      call.onEnd(() => call.end());
    },
  });
  const port = await server.listen(address);
  closing.push(() => server.drain(0));
  return [server, `127.0.0.1:${port}`];
}

async function scripted(...scripts: Parameters<typeof ScriptedServer.start>): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(...scripts);
  closing.push(() => server.close());
  return server;
}

/** A port at which nobody listens. */
async function freePort(): Promise<number> {
  const server = createNetServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Seconds pass, with turns of the event loop between them, so that what is sent arrives. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    clock.advance(1000);
    for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('while nobody is there', () => {
  test('calls fail with the reason, at once for a while, and the first one after that tries again', async () => {
    const port = await freePort();
    const client = clientOf(`127.0.0.1:${port}`);
    const error = { code: 'UNAVAILABLE', message: `no connection to 127.0.0.1:${port}: the connection was refused` };
    await expect(client.unary(Unary, 'x')).rejects.toMatchObject(error);
    await serve(`127.0.0.1:${port}`);
    await expect(client.unary(Unary, 'x')).rejects.toMatchObject(error);
    clock.advance(999);
    await expect(client.unary(Unary, 'x')).rejects.toMatchObject(error);
    clock.advance(1);
    await expect(client.unary(Unary, 'x')).resolves.toBe('x');
  });

  test('rests grow longer, and a stream is told as well', async () => {
    const client = clientOf(`127.0.0.1:${await freePort()}`);
    await expect(client.unary(Unary, 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    for (const rest of [1000, 1600, 2560]) {
      clock.advance(rest - 1);
      await expect(client.unary(Unary, 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(clock.pending).toBe(0); // nobody was asked
      clock.advance(1);
      const stream = client.stream(Chat);
      expect(clock.pending).toBeGreaterThan(0); // the attempt's time limit
      await expect(new Promise((resolve) => stream.onEnd(resolve))).resolves.toMatchObject({ code: 'UNAVAILABLE' });
    }
  });

  test('no socket, no such name', async () => {
    const socket = clientOf('unix:/nowhere/at/all.sock');
    await expect(socket.unary(Unary, 'x')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'no connection to unix:/nowhere/at/all.sock: there is no such socket',
    });
    const name = clientOf('no-such-host.invalid:80');
    const message = expect.stringMatching(/^no connection to no-such-host\.invalid:80: its name /) as string;
    await expect(name.unary(Unary, 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE', message });
  });

  test('somebody who says nothing is given up after 20 seconds, by calls with a deadline earlier', async () => {
    const silent = await scripted(() => undefined);
    const client = clientOf(silent.target);
    const patient = client.unary(Unary, 'x').catch((thrown: unknown) => thrown as ShoalError);
    const hasty = client.unary(Unary, 'x', { timeoutMs: 5000 }).catch((thrown: unknown) => thrown as ShoalError);
    await until(() => silent.sockets.length === 1);
    await pass(19_000);
    expect(await hasty).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('no connection') as string,
    });
    await pass(1000);
    expect(await patient).toMatchObject({
      code: 'UNAVAILABLE',
      message: `no connection to ${silent.target}: it does not answer`,
    });
  });

  test('who speaks something else is no server of ours', async () => {
    const web = await scripted((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const client = clientOf(web.target);
    await expect(client.unary(Unary, 'x')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `no connection to ${web.target}: it does not speak HTTP/2`,
    });
  });

  test('a client that is closed takes no calls, and lets those go that wait', async () => {
    const silent = await scripted(() => undefined);
    const client = clientOf(silent.target);
    const waited = client.unary(Unary, 'x', { timeoutMs: 5000 });
    client.close();
    const error = { code: 'UNAVAILABLE', message: 'the client is closed' };
    await expect(waited).rejects.toMatchObject(error);
    await expect(client.unary(Unary, 'x', { timeoutMs: 5000 })).rejects.toMatchObject(error);
    expect(clock.pending).toBe(0);
  });
});

describe('when connections end', () => {
  test('a call that is under way fails when its connection is lost, and the next one makes another', async () => {
    const [, target] = await serve();
    const relay = await scripted(relayTo(Number(target.split(':')[1])));
    const client = clientOf(relay.target);
    const call = client.unary(Unary, 'wait');
    await until(() => waiting.length === 1);
    relay.sockets[0]?.destroy();
    const message = `the connection to ${relay.target} was lost`;
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', message });
    await expect(client.unary(Unary, 'x')).resolves.toBe('x');
    expect(relay.sockets).toHaveLength(2);
  });

  test('a server that is stopped and started again is found again at once', async () => {
    const port = await freePort();
    const client = clientOf(`127.0.0.1:${port}`);
    for (let i = 0; i < 3; i += 1) {
      const [server] = await serve(`127.0.0.1:${port}`);
      await expect(client.unary(Unary, `${i}`)).resolves.toBe(`${i}`);
      await server.drain(0);
    }
  });

  test('closing lets what is under way go on', async () => {
    const [, target] = await serve();
    const client = clientOf(target);
    const stream = client.stream(Chat);
    const heard: string[] = [];
    stream.onMessage((text) => heard.push(text));
    const end = new Promise((resolve) => stream.onEnd(resolve));
    stream.write('before');
    await until(() => heard.length === 1);
    client.close();
    stream.write('after');
    stream.end();
    await expect(end).resolves.toBeUndefined();
    expect(heard).toEqual(['before', 'after']);
  });

  test('a connection that nobody uses for half an hour is closed, and made again for the next call', async () => {
    const [, target] = await serve();
    const relay = await scripted(relayTo(Number(target.split(':')[1])));
    const client = clientOf(relay.target);
    await client.unary(Unary, 'x');
    await pass(1_790_000);
    expect(relay.sockets[0]?.destroyed).toBe(false);
    await pass(20_000);
    await until(() => relay.sockets[0]?.destroyed ?? false);
    await expect(client.unary(Unary, 'y')).resolves.toBe('y');
    expect(relay.sockets).toHaveLength(2);
  });

  test('a black hole swallows the call, until the keep-alive finds that out', async () => {
    const [, target] = await serve();
    const relay = await scripted(relayTo(Number(target.split(':')[1])));
    const client = clientOf(relay.target, { keepaliveMs: 5000 });
    await client.unary(Unary, 'x');
    const call = client.unary(Unary, 'wait').catch((thrown: unknown) => thrown as ShoalError);
    await until(() => waiting.length === 1);
    await pass(30_000); // the server answers pings
    relay.sockets[0]?.unpipe();
    await pass(14_000);
    expect(await call).toMatchObject({ code: 'UNAVAILABLE' });
    await expect(client.unary(Unary, 'y')).resolves.toBe('y');
  });
});

describe('a server that goes away', () => {
  test('calls it did nothing about are sent again', async () => {
    const [, target] = await serve();
    const goAway = answerWith(frame(7, 0, 0, Buffer.alloc(8)));
    const server = await scripted(goAway, goAway, goAway, relayTo(Number(target.split(':')[1])));
    const client = clientOf(server.target);
    const stream = client.stream(Chat);
    const calls = ['a', 'b', 'c'].map((text) => client.unary(Unary, text));
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c']);
    expect(server.sockets).toHaveLength(4);
    // A stream of which nothing was sent goes on elsewhere too.
    const heard: string[] = [];
    stream.onMessage((text) => heard.push(text));
    stream.write('x');
    await until(() => heard.length === 1);
    stream.cancel();
  });

  test('but not for ever', async () => {
    const server = await scripted(answerWith(frame(7, 0, 0, Buffer.alloc(8))));
    const client = clientOf(server.target);
    await expect(client.unary(Unary, 'x')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `${server.target} takes no calls now`,
    });
    expect(server.sockets).toHaveLength(4);
  });

  test('nor where it may have done something', async () => {
    const server = await scripted((socket) => {
      socket.write(frame(4, 0, 0));
      onFrames(socket, (type) => {
        if (type === 1) socket.end(frame(7, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])));
      });
    });
    const client = clientOf(server.target);
    const message = `the connection to ${server.target} was lost`;
    await expect(client.unary(Unary, 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE', message });
    expect(server.sockets).toHaveLength(1);
  });

  test.each([1, 3])('in the middle of traffic on %i connections loses no call', async (connections) => {
    const aging = new FakeClock();
    const [, target] = await serve('127.0.0.1:0', { clock: aging, maxConnectionAgeMs: 5000 });
    const relay = await scripted(relayTo(Number(target.split(':')[1])));
    const client = clientOf(relay.target, { connections });
    const total = 3000;
    let sent = 0;
    const failures: unknown[] = [];
    const worker = async () => {
      while (sent < total) {
        const text = String((sent += 1));
        // Time passes for the server: every few hundred calls its connections have grown old.
        if (sent % 100 === 0) aging.advance(1000);
        const answer = await client.unary(Unary, text).catch((thrown: unknown) => thrown);
        if (answer !== text) failures.push(answer);
      }
    };
    await Promise.all(Array.from({ length: 50 }, worker));
    expect(failures).toEqual([]);
    expect(relay.sockets.length).toBeGreaterThan(3 * connections);
  });
});

describe('several calls', () => {
  test('are spread over the connections, which are made as they are needed', async () => {
    const [, target] = await serve();
    const relay = await scripted(relayTo(Number(target.split(':')[1])));
    const client = clientOf(relay.target, { connections: 3 });
    for (let i = 0; i < 10; i += 1) await client.unary(Unary, 'one after the other');
    expect(relay.sockets).toHaveLength(1);
    const calls = Array.from({ length: 9 }, () => client.unary(Unary, 'wait').catch(() => 'lost'));
    await until(() => waiting.length === 9);
    const perPeer = new Map<string, number>();
    for (const { peer } of waiting) perPeer.set(peer, (perPeer.get(peer) ?? 0) + 1);
    expect([...perPeer.values()]).toEqual([3, 3, 3]);
    for (const socket of relay.sockets) socket.destroy();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 9 }, () => 'lost'));
  });

  test('beyond what the server allows at once wait their turn, in order', async () => {
    const settings = frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 2])); // MAX_CONCURRENT_STREAMS 2
    const asked: number[] = [];
    let socket: Socket | undefined;
    const server = await scripted((accepted) => {
      socket = accepted;
      accepted.write(Buffer.concat([settings, frame(4, 1, 0)]));
      onFrames(accepted, (type, stream) => {
        if (type === 1) asked.push(stream);
      });
    });
    const client = clientOf(server.target);
    const calls = Array.from({ length: 6 }, () => client.unary(Unary, 'x').catch((thrown: unknown) => thrown));
    await until(() => asked.length === 2);
    // :status 200, content-type application/grpc, grpc-status 9
    const trailersOnly = Buffer.concat([
      Buffer.from([0x88, 0x0f, 0x10, 16]),
      Buffer.from('application/grpc'),
      Buffer.from([0, 11]),
      Buffer.from('grpc-status'),
      Buffer.from([1]),
      Buffer.from('9'),
    ]);
    for (let i = 0; i < 6; i += 1) {
      await until(() => asked.length > i);
      expect(asked.length).toBeLessThanOrEqual(i + 2);
      socket?.write(frame(1, 5, asked[i] as number, trailersOnly));
      expect(await calls[i]).toMatchObject({ code: 'FAILED_PRECONDITION' });
    }
  });
});
