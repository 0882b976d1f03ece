import { assertNothingOpen, openNow } from '@shoal/testing';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { RpcClientOptions } from '../../client';
import { echoService } from '../../testing/echo-service';
import { NativeClient } from './native-client';

const { Unary, Chat } = echoService;
const grpc = { ':status': 200, 'content-type': 'application/grpc' };
let openBefore: string[];
let server: http2.Http2Server;
let target: string;
/** Node's own server, which answers what a test wants it to. */
let answer: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;
let client: NativeClient;

beforeEach(async () => {
  openBefore = openNow();
  server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    answer(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new NativeClient(target, {});
});

afterEach(async () => {
  client.close();
  await new Promise((resolve) => server.close(resolve));
  await assertNothingOpen(openBefore);
});

function message(text: string | Buffer, flag = 0): Buffer {
  const bytes = Buffer.from(text as string);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** Answers with these messages and trailers. */
function respond(parts: Buffer[], trailers: Record<string, string> | undefined, headers: object = grpc) {
  return (stream: http2.ServerHttp2Stream) => {
    stream.respond(headers as http2.OutgoingHttpHeaders, { waitForTrailers: trailers !== undefined });
    if (trailers) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    for (const part of parts) stream.write(part);
    stream.end();
  };
}

const ok = { 'grpc-status': '0' };

test('an ordinary answer; the request says what gRPC asks for', async () => {
  let asked: http2.IncomingHttpHeaders = {};
  answer = (stream, headers) => {
    asked = headers;
    respond([message('hi')], ok)(stream);
  };
  await expect(
    client.unary(Unary, 'x', { timeoutMs: 60_000, headers: { 'x-a': 'b', 'c-bin': Buffer.from([1]) } }),
  ).resolves.toBe('hi');
  expect(asked).toEqual({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/test.Echo/Unary',
    ':authority': target,
    te: 'trailers',
    'content-type': 'application/grpc',
    'user-agent': expect.stringMatching(/^grpc-shoal\//) as string,
    'grpc-accept-encoding': 'identity,deflate,gzip',
    'grpc-timeout': expect.stringMatching(/^(?:60000|5\d{4})m$/) as string,
    'x-a': 'b',
    'c-bin': 'AQ',
    [http2.sensitiveHeaders]: [],
  });
});

test.each<[string, (stream: http2.ServerHttp2Stream) => void, string, RegExp]>([
  ['a status', respond([], { 'grpc-status': '5', 'grpc-message': 'n%C3%B6' }), 'NOT_FOUND', /^nö$/],
  ['a status without a message', respond([message('x')], { 'grpc-status': '9' }), 'FAILED_PRECONDITION', /^$/],
  [
    'nothing but a status',
    (s) => s.respond({ ...grpc, 'grpc-status': '3' }, { endStream: true }),
    'INVALID_ARGUMENT',
    /^$/,
  ],
  [
    'a status that wins over the one of HTTP',
    (s) => s.respond({ ':status': 503, 'grpc-status': '5' }, { endStream: true }),
    'NOT_FOUND',
    /^$/,
  ],
  ['a status that nobody knows', respond([], { 'grpc-status': '77' }), 'UNKNOWN', /^$/],
  ['no status in the trailers', respond([message('x')], { 'x-y': 'z' }), 'UNKNOWN', /no status/],
  ['no trailers', respond([message('x')], undefined), 'UNKNOWN', /without a status/],
  ['only headers, without a status', (s) => s.respond(grpc, { endStream: true }), 'UNKNOWN', /no status/],
  ['HTTP 503', (s) => s.respond({ ':status': 503 }, { endStream: true }), 'UNAVAILABLE', /503/],
  ['HTTP 404 with a page', respond([Buffer.from('<html>')], undefined, { ':status': 404 }), 'UNIMPLEMENTED', /404/],
  [
    'a page',
    respond([Buffer.from('<html>')], undefined, { ':status': 200, 'content-type': 'text/html' }),
    'UNKNOWN',
    /no gRPC/,
  ],
  ['another kind of gRPC', respond([], ok, { ...grpc, 'content-type': 'application/grpc-web' }), 'UNKNOWN', /no gRPC/],
  ['no response', respond([], ok), 'INTERNAL', /no response/],
  ['two responses', respond([message('a'), message('b')], ok), 'INTERNAL', /more than one/],
  ['half a response', respond([message('abc').subarray(0, 6)], ok), 'INTERNAL', /inside a message/],
  ['a flag that nobody knows', respond([message('a', 7)], ok), 'INTERNAL', /flag/],
  ['something compressed that says not how', respond([message('a', 1)], ok), 'INTERNAL', /identity/],
  [
    'an encoding that nobody knows',
    respond([message('a', 1)], ok, { ...grpc, 'grpc-encoding': 'br' }),
    'UNIMPLEMENTED',
    /"br"/,
  ],
  ['broken gzip', respond([message('a', 1)], ok, { ...grpc, 'grpc-encoding': 'gzip' }), 'INTERNAL', /decompress/],
  ['a reset', (s) => s.close(http2.constants.NGHTTP2_INTERNAL_ERROR), 'INTERNAL', /error 2/],
  ['a cancellation', (s) => s.close(http2.constants.NGHTTP2_CANCEL), 'CANCELLED', /by the server/],
  ['a refusal', (s) => s.close(http2.constants.NGHTTP2_REFUSED_STREAM), 'UNAVAILABLE', /takes no calls/],
])('%s', async (_what, respondBy, code, text) => {
  answer = respondBy;
  const told = { code, message: expect.stringMatching(text) as string };
  await expect(client.unary(Unary, 'x')).rejects.toMatchObject(told);
  if (code === 'INTERNAL' && /response|one/.test(text.source)) return; // of streams that is no fault
  const stream = client.stream(Chat);
  stream.onMessage(() => undefined);
  stream.end();
  await expect(new Promise((resolve) => stream.onEnd(resolve))).resolves.toMatchObject(told);
});

test('what goes wrong with one call does not disturb the others', async () => {
  answer = (stream, headers) => {
    if (headers['x-bad'] === undefined) setImmediate(respond([message('good')], ok), stream);
    else respond([message('a', 1)], ok)(stream);
  };
  const calls = Array.from({ length: 40 }, (_, i) =>
    client.unary(Unary, 'x', i % 2 === 0 ? { headers: { 'x-bad': '1' } } : {}),
  );
  const ends = await Promise.allSettled(calls);
  expect(ends.map(({ status }) => status)).toEqual(calls.map((_, i) => (i % 2 === 0 ? 'rejected' : 'fulfilled')));
  answer = respond([Buffer.from('<html>'), Buffer.alloc(100_000)], undefined, { ':status': 200 });
  await expect(client.unary(Unary, 'x')).rejects.toMatchObject({ code: 'UNKNOWN' });
  answer = respond([message('fine')], ok);
  await expect(client.unary(Unary, 'x')).resolves.toBe('fine');
});

test('answers that come in pieces, with compressed and large ones, are put together', async () => {
  const large = 'x'.repeat(300_000);
  answer = (stream) => {
    stream.respond({ ...grpc, 'grpc-encoding': 'gzip' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(ok));
    const bytes = Buffer.concat([
      message('a'),
      message(''),
      message(gzipSync(large), 1),
      message(gzipSync('b'), 1),
      message(large),
    ]);
    let at = 0;
    const next = () => {
      const part = bytes.subarray(at, (at += at < 30 ? 1 : 7777));
      if (part.length === 0) stream.end();
      else stream.write(part, () => setImmediate(next));
    };
    next();
  };
  const stream = client.stream(Chat);
  const heard: string[] = [];
  stream.onMessage((text) => heard.push(text));
  stream.end();
  await expect(new Promise((resolve) => stream.onEnd(resolve))).resolves.toBeUndefined();
  expect(heard).toEqual(['a', '', large, 'b', large]);
});

test('metadata of both kinds is told before the end', async () => {
  const seen: unknown[] = [];
  const tell = {
    onHeaders: (metadata: object) => seen.push('headers', metadata),
    onTrailers: (metadata: object) => seen.push('trailers', metadata),
  };
  answer = respond([message('x')], { ...ok, 'x-t': '2', 't-bin': 'AQI' }, { ...grpc, 'x-h': '1' });
  await client.unary(Unary, 'x', tell);
  seen.push('end');
  const trailers = ['trailers', { 'x-t': '2', 't-bin': Buffer.from([1, 2]) }];
  expect(seen).toEqual(['headers', expect.objectContaining({ 'x-h': '1' }), ...trailers, 'end']);
  seen.length = 0;
  answer = (stream) => stream.respond({ ...grpc, 'grpc-status': '5', 'x-t': '3' }, { endStream: true });
  await client.unary(Unary, 'x', tell).catch(() => seen.push('end'));
  expect(seen).toEqual(['trailers', expect.objectContaining({ 'x-t': '3' }), 'end']);
});

describe('an answer that is too large', () => {
  const limit = { maxMessageBytes: 1000 } satisfies RpcClientOptions;

  test.each([
    ['as it is', message('x'.repeat(1001))],
    ['once inflated', message(gzipSync('x'.repeat(1001)), 1)],
  ])('%s', async (_how, bytes) => {
    const limited = new NativeClient(target, limit);
    answer = respond([bytes], ok, { ...grpc, 'grpc-encoding': 'gzip' });
    await expect(limited.unary(Unary, 'x')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    answer = respond([message('x'.repeat(1000))], ok);
    await expect(limited.unary(Unary, 'x')).resolves.toHaveLength(1000);
    limited.close();
  });
});

test('a response that cannot be decoded ends its call', async () => {
  const picky = {
    ...Unary,
    responseDeserialize: () => {
      throw new Error('no');
    },
  };
  answer = respond([message('x')], ok);
  await expect(client.unary(picky, 'x')).rejects.toMatchObject({
    code: 'INTERNAL',
    message: 'the response cannot be decoded',
  });
  const stream = client.stream({ ...Chat, responseDeserialize: picky.responseDeserialize });
  stream.onMessage(() => undefined);
  await expect(new Promise((resolve) => stream.onEnd(resolve))).resolves.toMatchObject({ code: 'INTERNAL' });
});

test('metadata that gRPC does not carry is refused', async () => {
  const headers = { 'Upper-Case': 'x' };
  await expect(client.unary(Unary, 'x', { headers })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(() => client.stream(Chat, { headers })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
