import assert from 'node:assert';
import { Client, connectivityState, credentials, status } from '@grpc/grpc-js';
import { systemClock } from '@shoal/core';
import { FakeClock, assertNothingOpen, openNow, selfSigned, until } from '@shoal/testing';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { createServer as createNetServer, connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallContext, RpcServer, StreamCall } from './server';
import { echoService } from './testing/echo-service';
import { grpcCarriers } from './carrier';
import { createServer } from './create-server';

const { Unary, Chat } = echoService;
const echo = { Unary: (text: string) => text };
describe.each(grpcCarriers)('a server on %s', (carrier) => {
  let openBefore: string[];
  let directory: string;

  beforeEach(() => {
    openBefore = openNow();
    directory = mkdtempSync(join(tmpdir(), 'rpc-'));
  });

  afterEach(async () => {
    rmSync(directory, { recursive: true });
    await assertNothingOpen(openBefore);
  });

  function echoServer(clock = systemClock): RpcServer {
    const server = createServer({ carrier, clock });
    server.addService(echoService, echo);
    return server;
  }

  function ask(client: Client, text: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(Unary.path, Unary.requestSerialize, Unary.responseDeserialize, text, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  describe('drain', () => {
    let clock: FakeClock;
    let server: RpcServer;
    let client: Client;
    let running: CallContext[];
    let answers: ((text: string) => void)[];

    beforeEach(async () => {
      clock = new FakeClock();
      server = createServer({ carrier, clock });
      running = [];
      answers = [];
      server.addService(echoService, {
        Unary(_text: string, call: CallContext) {
          running.push(call);
          return new Promise<string>((resolve) => answers.push(resolve));
        },
        Chat: (call: StreamCall<string, string>) => {
          running.push(call);
          call.write('hello');
          call.onMessage(() => undefined);
        },
      });
      client = new Client(`127.0.0.1:${await server.listen('127.0.0.1:0')}`, credentials.createInsecure());
    });

    afterEach(() => {
      client.close();
      assert.equal(clock.pending, 0);
    });

    test('lets a running call end and takes no new one', async () => {
      const asked = ask(client, 'x');
      await until(() => running.length > 0);
      const drained = server.drain(5000);
      await until(() => client.getChannel().getConnectivityState(false) !== connectivityState.READY);
      await expect(ask(client, 'late')).rejects.toMatchObject({ code: status.UNAVAILABLE });
      for (const answer of answers) answer('done');
      await expect(asked).resolves.toBe('done');
      await drained;
      expect(running).toHaveLength(1);
    });

    test('ends what still runs after the grace with UNAVAILABLE, and tells its handlers', async () => {
      const told: boolean[] = [];
      const asked = ask(client, 'x');
      const chat = client.makeBidiStreamRequest(Chat.path, Chat.requestSerialize, Chat.responseDeserialize);
      chat.on('error', () => undefined);
      const chatEnd = new Promise<object>((resolve) => void chat.on('status', resolve).resume());
      await until(() => running.length === 2);
      for (const call of running) call.onCancel(() => told.push(call.cancelled));
      const drained = server.drain(5000);
      clock.advance(4999);
      expect(told).toEqual([]);
      clock.advance(1);
      const over = { code: status.UNAVAILABLE, details: 'the server is shutting down' };
      await expect(asked).rejects.toMatchObject(over);
      await expect(chatEnd).resolves.toMatchObject(over);
      await drained;
      expect(told).toEqual([true, true]);
    });

    test('cuts a client that does not take its status', async () => {
      const session = connect(`http://127.0.0.1:${await server.listen('127.0.0.1:0')}`, {
        settings: { initialWindowSize: 0 },
      });
      session.on('error', () => undefined);
      const closed = new Promise((resolve) => session.on('close', resolve));
      const headers = { ':method': 'POST', ':path': Chat.path, 'content-type': 'application/grpc', te: 'trailers' };
      session.request(headers).on('error', () => undefined);
      await until(() => running.length > 0);
      const drained = server.drain(10);
      clock.advance(10);
      clock.advance(1000);
      await drained;
      await closed;
      expect(running).toHaveLength(1);
    });

    test('is the same drain when asked twice, and works on a server that never listened', async () => {
      expect(server.drain(10)).toBe(server.drain(10));
      await createServer({ carrier, clock }).drain(10);
      await server.drain(10);
    });
  });

  test('clients are told of wide windows: 8 MiB a stream, 64 MiB a connection', async () => {
    const server = echoServer();
    const session: ClientHttp2Session = connect(`http://127.0.0.1:${await server.listen('127.0.0.1:0')}`);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect(session.remoteSettings.initialWindowSize).toBe(8 * 1024 * 1024);
    // The window's update follows the settings.
    await new Promise((resolve) => void session.ping(resolve));
    expect(session.state.remoteWindowSize).toBe(64 * 1024 * 1024);
    session.close();
    await server.drain(1000);
  });

  test('an address in use is UNAVAILABLE and named', async () => {
    const server = echoServer();
    const other = echoServer();
    const address = `127.0.0.1:${await server.listen('127.0.0.1:0')}`;
    await expect(other.listen(address)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `cannot listen at ${address}: the address is in use`,
    });
    await other.drain(0);
    await server.drain(1000);
  });

  describe('unix sockets', () => {
    test('carry calls, and the file goes with the server', async () => {
      const server = echoServer();
      const path = join(directory, 's');
      expect(await server.listen(`unix:${path}`)).toBe(0);
      const client = new Client(`unix:${path}`, credentials.createInsecure());
      await expect(ask(client, 'over a socket')).resolves.toBe('over a socket');
      client.close();
      await server.drain(1000);
      expect(existsSync(path)).toBe(false);
    });

    test('a socket that a dead process left is replaced; one in use and a plain file are not', async () => {
      const path = join(directory, 's');
      const dead = createNetServer().listen(path);
      await new Promise((resolve) => dead.once('listening', resolve));
      // Keeps the file when it closes, as a killed process does.
      const { linkSync, renameSync } = await import('node:fs');
      linkSync(path, `${path}2`);
      await new Promise((resolve) => dead.close(resolve));
      renameSync(`${path}2`, path);

      const server = echoServer();
      await server.listen(`unix:${path}`);
      const second = echoServer();
      await expect(second.listen(`unix:${path}`)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      writeFileSync(join(directory, 'file'), 'precious');
      await expect(second.listen(`unix:${join(directory, 'file')}`)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(existsSync(join(directory, 'file'))).toBe(true);
      await second.drain(0);
      await server.drain(1000);
    });

    test('a path that no socket can have is refused with its limit', async () => {
      const server = echoServer();
      const path = join(directory, 'x'.repeat(108));
      await expect(server.listen(`unix:${path}`)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/1 to 107 bytes, this one has 1\d\d/) as string,
      });
    });
  });

  describe('TLS', () => {
    const { cert, key } = selfSigned();

    test('serves clients that trust the certificate, and no plain ones', async () => {
      const server = echoServer();
      const port = await server.listen('localhost:0', { cert, key });
      const client = new Client(`localhost:${port}`, credentials.createSsl(cert));
      await expect(ask(client, 'secret')).resolves.toBe('secret');
      const plain = new Client(`localhost:${port}`, credentials.createInsecure());
      await expect(ask(plain, 'secret')).rejects.toMatchObject({ code: status.UNAVAILABLE });
      client.close();
      plain.close();
      await server.drain(1000);
    });

    test('who never says a word of TLS does not hold up a drain', async () => {
      const server = echoServer();
      const port = await server.listen('127.0.0.1:0', { cert, key });
      const silent = netConnect(port, '127.0.0.1');
      const closed = new Promise((resolve) => silent.once('close', resolve));
      silent.on('error', () => undefined);
      await new Promise((resolve) => silent.once('connect', resolve));
      const client = new Client(`localhost:${port}`, credentials.createSsl(cert));
      await expect(ask(client, 'secret')).resolves.toBe('secret');
      client.close();
      await server.drain(60_000);
      await closed;
    });

    test('with a client CA, a client without a certificate is turned away', async () => {
      const server = echoServer();
      const port = await server.listen('localhost:0', { cert, key, clientCa: cert });
      const known = new Client(`localhost:${port}`, credentials.createSsl(cert, key, cert));
      await expect(ask(known, 'secret')).resolves.toBe('secret');
      const unknown = new Client(`localhost:${port}`, credentials.createSsl(cert));
      await expect(ask(unknown, 'secret')).rejects.toMatchObject({ code: status.UNAVAILABLE });
      known.close();
      unknown.close();
      await server.drain(1000);
    });
  });
});
