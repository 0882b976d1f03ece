import { createHash } from 'node:crypto';
import * as http2 from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import * as tls from 'node:tls';
import { seededRandom, systemClock } from '@shoal/core';
import { ServerConnection } from './server-connection';
import { duplexPair } from './testing/duplex-pair';
import * as fc from 'fast-check';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { clientOn, connectTo, exchange } from './testing/example-client';
import { echo, startExampleServer } from './testing/example-server';

let before: string[];
beforeEach(() => (before = openNow()));
afterEach(() => assertNothingOpen(before));

const name = fc.stringMatching(/^x-[a-z0-9-]{0,30}$/);
// What node:http2 lets through unchanged.
const value = fc.stringMatching(/^[!-~]([ -~]{0,200}[!-~])?$/);
const headers = fc.dictionary(name, value, { maxKeys: 20 });
const body = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.integer({ min: 1, max: 400_000 }).map((length) => new Uint8Array(length).fill(length)),
);

test("headers and bodies of Node's client reach our server, and ours reach it", async () => {
  const server = await startExampleServer({
    onRequest(stream, path) {
      const parts: Buffer[] = [];
      return {
        onData(from, bytes, start, end) {
          parts.push(Buffer.from(bytes.subarray(start, end)));
          from.consumed(end - start);
        },
        onEnd: () => {
          stream.sendHeaders(null, [':status', '200', ...(JSON.parse(decodeURIComponent(path.slice(1))) as string[])]);
          stream.write(Buffer.concat(parts));
          stream.sendTrailers(null, ['x-digest', digest(Buffer.concat(parts))]);
        },
        onAborted: () => undefined,
      };
    },
  });
  const client = http2.connect(`http://127.0.0.1:${server.port}`);
  await fc.assert(
    fc.asyncProperty(headers, headers, body, async (sent, wanted, bytes) => {
      const path = `/${encodeURIComponent(JSON.stringify(Object.entries(wanted).flat()))}`;
      const stream = client.request({ ':method': 'POST', ':path': path, ...sent });
      let answered: http2.IncomingHttpHeaders = {};
      let trailers: http2.IncomingHttpHeaders = {};
      const parts: Buffer[] = [];
      stream.on('response', (got) => (answered = got));
      stream.on('trailers', (got: http2.IncomingHttpHeaders) => (trailers = got));
      stream.on('data', (part: Buffer) => void parts.push(part));
      stream.end(bytes);
      await new Promise<void>((resolve, reject) => stream.on('end', resolve).on('error', reject));
      expect(Object.fromEntries(Object.entries(answered))).toEqual({ ':status': 200, ...wanted });
      expect(trailers['x-digest']).toBe(digest(bytes));
      expect(digest(Buffer.concat(parts))).toBe(digest(bytes));
    }),
    { numRuns: 60 },
  );
  client.destroy();
  await server.close();
});

test("headers and bodies of our client reach Node's server, and its reach ours", async () => {
  const seen: http2.IncomingHttpHeaders[] = [];
  const server = http2.createServer();
  server.on('stream', (stream, got) => {
    seen.push(got);
    const back = Object.entries(got).filter(([key]) => key.startsWith('x-'));
    stream.respond({ ':status': 200, ...Object.fromEntries(back) }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': 'there' }));
    stream.pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connectTo((server.address() as AddressInfo).port);
  await fc.assert(
    fc.asyncProperty(headers, body, async (sent, bytes) => {
      const answer = await exchange(client, '/', Buffer.from(bytes), Object.entries(sent).flat());
      expect(seen.pop()).toMatchObject(sent);
      const back = Object.fromEntries(answer.headers.fields.map((field) => [field.name, field.value]));
      expect(back).toMatchObject(sent);
      expect(digest(answer.body)).toBe(digest(bytes));
      expect(answer.trailers?.get('x-trailer')).toBe('there');
    }),
    { numRuns: 60 },
  );
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('many streams at once, over duplexes that cut the bytes anywhere', async () => {
  const { client, server, ends } = duplexPair();
  const bodies = Array.from({ length: 50 }, (_, i) => Buffer.alloc(i * 997, i));
  const answers = await Promise.all(bodies.map((bytes) => exchange(client, '/echo-trailers', bytes)));
  answers.forEach((answer, i) => {
    expect(digest(answer.body)).toBe(digest(bodies[i]!.length > 0 ? bodies[i]! : Buffer.from('hello\n')));
    expect(answer.trailers?.get('x-end')).toBe('yes');
  });
  client.destroy();
  await until(() => ends.length === 2);
  expect(server.activeStreams).toBe(0);
});

test('TLS sockets carry it as well', async () => {
  // A shared key needs no certificate.
  const key = Buffer.alloc(32, 7);
  const options = {
    ciphers: 'PSK-AES128-GCM-SHA256',
    maxVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
  } satisfies tls.TlsOptions;
  const ends: string[] = [];
  const listening = tls.createServer({ ...options, pskCallback: () => key }, (socket) => {
    const accepted = new ServerConnection(socket, {
      clock: systemClock,
      random: seededRandom(1),
      onClosed: ({ code }) => void ends.push(code),
      onRequest(stream, block) {
        stream.user = { path: block.path?.value ?? '', body: [] };
        return echo;
      },
    });
    expect(accepted.state).toBe('handshake');
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  const pskCallback = () => ({ psk: key, identity: 'us' });
  const checkServerIdentity = () => undefined;
  const client = clientOn(tls.connect({ ...options, port, host: '127.0.0.1', pskCallback, checkServerIdentity }));
  const bodies = Array.from({ length: 10 }, (_, i) => Buffer.alloc(1 + i * 100_003, i));
  const answers = await Promise.all(bodies.map((bytes) => exchange(client, '/echo-trailers', bytes)));
  answers.forEach((answer, i) => expect(digest(answer.body)).toBe(digest(bodies[i]!)));
  client.drain();
  await until(() => client.state === 'closed' && ends.length === 1);
  expect(ends).toEqual(['NO_ERROR']);
  await new Promise((resolve) => listening.close(resolve));
});

test('bytes may be lent from a static read buffer', async () => {
  const server = await startExampleServer();
  let client: ReturnType<typeof clientOn> | undefined;
  const buffer = Buffer.allocUnsafeSlow(5000);
  const callback = (count: number) => {
    client?.receive(buffer.subarray(0, count));
    buffer.fill(0xee);
    return true;
  };
  const socket = connect({ port: server.port, host: '127.0.0.1', onread: { buffer, callback } });
  client = clientOn(socket, { readsAreFed: true });
  const on = client;
  const bodies = Array.from({ length: 20 }, (_, i) => Buffer.alloc(1 + i * 1777, i));
  const answers = await Promise.all(bodies.map((bytes) => exchange(on, '/echo-trailers', bytes)));
  answers.forEach((answer, i) => {
    expect(digest(answer.body)).toBe(digest(bodies[i]!));
    expect(answer.trailers?.get('x-length')).toBe(String(bodies[i]!.length));
  });
  client.destroy();
  await server.close();
});

test('both sides may write more than all buffers hold at once, since reading never waits for writing', async () => {
  const server = await startExampleServer({
    limits: { highWaterBytes: 16_384 },
    onRequest(stream) {
      stream.sendHeaders(null, [':status', '200']);
      stream.write(Buffer.alloc(24 << 20, 1), true);
      return { onData: (from, _bytes, start, end) => from.consumed(end - start), onEnd: noop, onAborted: noop };
    },
  });
  const client = connectTo(server.port, { limits: { highWaterBytes: 16_384 } });
  const answers = await Promise.all([1, 2].map(() => exchange(client, '/', Buffer.alloc(24 << 20, 2))));
  expect(answers.map((answer) => answer.body.length)).toEqual([24 << 20, 24 << 20]);
  client.destroy();
  await server.close();
});

function noop(): void {
  // nothing to do
}

function digest(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}
