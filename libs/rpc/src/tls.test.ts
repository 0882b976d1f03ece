import { sleep, systemClock } from '@shoal/core';
import { connect } from 'node:tls';
import { assertNothingOpen, openNow, selfSigned, TestAuthority, until } from '@shoal/testing';
import { grpcCarriers } from './carrier';
import type { ClientTlsOptions, RpcClient } from './client';
import { createClient } from './create-client';
import { createServer } from './create-server';
import type { RpcServer, TlsOptions } from './server';
import { echoService } from './testing/echo-service';
import type { Renewable } from './tls/renewable';

const { Unary } = echoService;
const { cert, key } = selfSigned();
const other = selfSigned();
const carriers = grpcCarriers;
const pairs = grpcCarriers.flatMap((server) => carriers.map((client) => [server, client] as const));

/** What a test renews by hand. */
class Renewed<T> implements Renewable<T> {
  current: T;
  readonly listeners = new Set<(value: T) => void>();

  constructor(first: T) {
    this.current = first;
  }

  onRenewed(renewed: (value: T) => void): () => void {
    this.listeners.add(renewed);
    return () => void this.listeners.delete(renewed);
  }

  renew(value: T): void {
    this.current = value;
    for (const listener of this.listeners) listener(value);
  }
}

describe.each(pairs)('TLS, server on %s, client on %s', (serverCarrier, clientCarrier) => {
  let openBefore: string[];
  let server: RpcServer;
  let clients: RpcClient[];
  let answers: ((text: string) => void)[];

  beforeEach(() => {
    openBefore = openNow();
    clients = [];
    server = createServer({ clock: systemClock, carrier: serverCarrier });
    answers = [];
    server.addService(echoService, {
      Unary: (text: string) => (text === 'later' ? new Promise((resolve) => answers.push(resolve)) : text),
    });
  });

  afterEach(async () => {
    for (const client of clients) client.close();
    await server.drain(1000);
    await assertNothingOpen(openBefore);
  });

  function ask(target: string, tls?: ClientTlsOptions | Renewable<ClientTlsOptions>, text = 'secret'): Promise<string> {
    const client = createClient(target, { carrier: clientCarrier, ...(tls && { tls }) });
    clients.push(client);
    return client.unary(Unary, text, { timeoutMs: 10_000 });
  }

  test('clients that trust the certificate are served, others and plain ones are not', async () => {
    const port = await server.listen('localhost:0', { cert, key });
    await expect(ask(`localhost:${port}`, { ca: cert })).resolves.toBe('secret');
    await expect(ask(`localhost:${port}`, { ca: other.cert })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(ask(`localhost:${port}`)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('the certificate must be for the name of the target, or for the one that is asked for', async () => {
    const port = await server.listen('127.0.0.1:0', { cert, key });
    const target = `127.0.0.1:${port}`;
    await expect(ask(target, { ca: cert })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(ask(target, { ca: cert, serverName: 'elsewhere' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(ask(target, { ca: cert, serverName: 'localhost' })).resolves.toBe('secret');
  });

  test('a server that demands a certificate serves those who have the right one', async () => {
    const port = await server.listen('localhost:0', { cert, key, clientCa: other.cert });
    const target = `localhost:${port}`;
    await expect(ask(target, { ca: cert, cert: other.cert, key: other.key })).resolves.toBe('secret');
    await expect(ask(target, { ca: cert })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(ask(target, { ca: cert, cert, key })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('a drain lets a running call end', async () => {
    const port = await server.listen('localhost:0', { cert, key });
    const asked = ask(`localhost:${port}`, { ca: cert }, 'later');
    await until(() => answers.length === 1);
    const drained = server.drain(10_000);
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    answers[0]!('at last');
    await expect(asked).resolves.toBe('at last');
    for (const client of clients) client.close();
    await drained;
  });

  test('a renewed certificate serves new connections; those that there are go on, and no call fails', async () => {
    const authorities = [new TestAuthority(), new TestAuthority()] as const;
    const renewed = new Renewed<TlsOptions>(authorities[0].issue(['localhost']));
    const port = await server.listen('localhost:0', renewed);
    const target = `localhost:${port}`;
    const running = ask(target, { ca: authorities[0].ca }, 'later');
    await until(() => answers.length === 1);
    // Calls on one connection, without a pause, while the certificate changes.
    const calling = new AbortController();
    let made = 0;
    const calls = (async () => {
      while (!calling.signal.aborted) {
        expect(await clients[0]!.unary(Unary, 'again', { timeoutMs: 10_000 })).toBe('again');
        made += 1;
      }
    })();
    await until(() => made > 5);
    renewed.renew(authorities[1].issue(['localhost']));
    const before = made;
    await until(() => made > before + 5);
    calling.abort();
    await calls;
    await expect(ask(target, { ca: authorities[0].ca })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(ask(target, { ca: authorities[1].ca })).resolves.toBe('secret');
    answers[0]!('at last');
    await expect(running).resolves.toBe('at last');
    for (const client of clients) client.close();
    await server.drain(1000);
    expect(renewed.listeners.size).toBe(0);
  });

  test('renewed client authorities: whom the old ones vouch for is refused from then on', async () => {
    const authorities = [new TestAuthority(), new TestAuthority()] as const;
    const own = { cert, key };
    const renewed = new Renewed<TlsOptions>({ ...own, clientCa: authorities[0].ca });
    const target = `localhost:${await server.listen('localhost:0', renewed)}`;
    const [before, after] = authorities.map((authority) => ({ ca: cert, ...authority.issue(['client']) }));
    await expect(ask(target, before)).resolves.toBe('secret');
    await expect(ask(target, after)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    renewed.renew({ ...own, clientCa: authorities[1].ca });
    await expect(ask(target, before)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(ask(target, { ca: cert })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(ask(target, after)).resolves.toBe('secret');
  });

  test("a client's new connections are made with what is newest", async () => {
    const authority = new TestAuthority();
    const renewed = new Renewed<ClientTlsOptions>({ ca: cert, cert: other.cert, key: other.key });
    const first = await server.listen('localhost:0', { cert, key, clientCa: other.cert });
    await expect(ask(`localhost:${first}`, renewed)).resolves.toBe('secret');
    const client = clients[0]!;
    await server.drain(1000);
    server = createServer({ clock: systemClock, carrier: serverCarrier });
    server.addService(echoService, { Unary: (text: string) => text });
    await server.listen(`localhost:${first}`, { ...authority.issue(['localhost']), clientCa: authority.ca });
    renewed.renew({ ca: authority.ca, ...authority.issue(['client']) });
    // It may have tried in between, and rests then.
    let answer: string | undefined;
    const asking = (async () => {
      for (let i = 0; i < 1000 && answer === undefined; i += 1) {
        answer = await client.unary(Unary, 'again', { timeoutMs: 10_000 }).catch(() => undefined);
        await sleep(systemClock, 10);
      }
    })();
    await asking;
    expect(answer).toBe('again');
  });
});

describe('what only the native carrier has', () => {
  test("clients' certificates must have the name that is asked for", async () => {
    const openBefore = openNow();
    const authority = new TestAuthority();
    const server = createServer({ clock: systemClock });
    server.addService(echoService, { Unary: (text: string) => text });
    const own = authority.issue(['one-of-us']);
    const tls = { ...own, clientCa: authority.ca, clientName: 'one-of-us' };
    const target = `127.0.0.1:${await server.listen('127.0.0.1:0', tls)}`;
    const ask = async (certificate: ClientTlsOptions) => {
      const client = createClient(target, { tls: { ca: authority.ca, serverName: 'one-of-us', ...certificate } });
      try {
        return await client.unary(Unary, 'secret', { timeoutMs: 10_000 });
      } finally {
        client.close();
      }
    };
    await expect(ask(own)).resolves.toBe('secret');
    await expect(ask(authority.issue(['somebody-else']))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await server.drain(1000);
    await assertNothingOpen(openBefore);
  });

  test('grpc-js refuses to leave that unchecked', async () => {
    const server = createServer({ clock: systemClock, carrier: 'grpc-js' });
    const tls = { cert, key, clientCa: cert, clientName: 'one-of-us' };
    await expect(server.listen('127.0.0.1:0', tls)).rejects.toThrow('grpc-js cannot check the name');
  });

  test('TLS 1.1 is not spoken', async () => {
    const server = createServer({ clock: systemClock });
    const port = await server.listen('localhost:0', { cert, key });
    const failure = await new Promise<string>((resolve) => {
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
      const socket = connect({ port, host: 'localhost', ca: cert, ALPNProtocols: ['h2'], ...old });
      socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'));
      socket.once('secureConnect', () => resolve(`connected with ${socket.getProtocol()}`));
      socket.once('close', () => resolve('closed'));
    });
    expect(failure).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS/);
    await server.drain(1000);
  });
});
