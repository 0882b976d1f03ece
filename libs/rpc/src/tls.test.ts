import { systemClock } from '@shoal/core';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { grpcCarriers } from './carrier';
import type { ClientTlsOptions, RpcClient } from './client';
import { createClient } from './create-client';
import { createServer } from './create-server';
import type { RpcServer } from './server';
import { echoService } from './testing/echo-service';
import { selfSigned } from './testing/self-signed';

const { Unary } = echoService;
const { cert, key } = selfSigned();
const other = selfSigned();
const carriers = grpcCarriers;
const pairs = grpcCarriers.flatMap((server) => carriers.map((client) => [server, client] as const));

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

  function ask(target: string, tls?: ClientTlsOptions, text = 'secret'): Promise<string> {
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
});
