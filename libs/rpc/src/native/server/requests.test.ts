import assert from 'node:assert';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import type { ClientConnection } from '@shoal/http2';
import type { CallContext, StreamCall } from '../../server';
import { echoService } from '../../testing/echo-service';
import { type RawAnswer, framed, rawCall, rawClient, rawStatus } from '../../testing/raw-client';
import { NativeServer } from './native-server';

const { Unary, Upload, Download, Chat } = echoService;
let openBefore: string[];
let clock: FakeClock;
let server: NativeServer;
let client: ClientConnection;
let asked: CallContext[];
let cancelled: string[];
/** Ends the handler that was told to wait. */
let finish: () => void;

beforeEach(async () => {
  openBefore = openNow();
  clock = new FakeClock(7000);
  asked = [];
  cancelled = [];
  server = new NativeServer({ clock });
  const note = (call: CallContext) => {
    asked.push(call);
    call.onCancel(() => cancelled.push(call.path));
  };
  server.addService(echoService, {
    Unary(text: string, call: CallContext) {
      note(call);
      return text === 'wait' ? new Promise((resolve) => (finish = () => resolve('too late'))) : text;
    },
    Download(text: string, call: StreamCall<never, string>) {
      note(call);
      call.write(text);
      call.end();
    },
    Upload(call: StreamCall<string, string>) {
      note(call);
      call.onMessage(() => undefined);
      call.onEnd(() => call.end());
    },
    Chat(call: StreamCall<string, string>) {
      note(call);
      call.onMessage((text) => call.write(text));
      call.onEnd(() => call.end());
    },
  });
  client = rawClient(await server.listen('127.0.0.1:0'));
});

afterEach(async () => {
  client.destroy();
  await server.drain(0);
  assert.deepEqual([server.calls.size, server.room.memory.used, server.held.used, clock.pending], [0, 0, 0, 0]);
  await assertNothingOpen(openBefore);
});

async function over(answer: RawAnswer): Promise<RawAnswer> {
  await until(() => answer.over);
  return answer;
}

async function ask(path: string, headers: Record<string, string>, ...pieces: (Buffer | string)[]): Promise<RawAnswer> {
  const answer = rawCall(client, path, headers);
  for (const piece of pieces) answer.stream.write(Buffer.from(piece));
  answer.stream.write(Buffer.alloc(0), true);
  return over(answer);
}

test('a unary answer is headers, a message and trailers', async () => {
  const answer = await ask(Unary.path, {}, framed('hello'));
  expect(answer.headers?.status).toBe(200);
  expect(answer.headers?.get('content-type')).toBe('application/grpc');
  expect(answer.headers?.get('grpc-accept-encoding')).toBe('identity,deflate,gzip');
  expect(Buffer.concat(answer.body)).toEqual(framed('hello'));
  expect(answer.trailers?.fields.map(({ name, value }) => [name, value])).toEqual([['grpc-status', '0']]);
});

test('a message may come in pieces of any size', async () => {
  const bytes = framed('hello');
  const answer = await ask(Unary.path, {}, ...[...bytes].map((_byte, i) => bytes.subarray(i, i + 1)));
  expect(Buffer.concat(answer.body)).toEqual(bytes);
});

test.each([
  ['none', [], 'Received no request message for server streaming method'],
  ['two', [framed('a'), framed('b')], 'Received a second request message for server streaming method'],
])('%s where one request is wanted: UNIMPLEMENTED, and the handler is not asked', async (_name, messages, text) => {
  for (const { path } of [Unary, Download]) {
    const answer = await ask(path, {}, ...messages);
    expect(rawStatus(answer)).toEqual(['12', `${text} ${path}`]);
    expect(answer.trailers).toBeUndefined();
  }
  expect(asked).toEqual([]);
});

test('a message that is cut off is INTERNAL', async () => {
  const answer = await ask(Unary.path, {}, framed('hello').subarray(0, 8));
  expect(rawStatus(answer)[0]).toBe('13');
  expect(asked).toEqual([]);
});

test('methods that are not there are UNIMPLEMENTED at once, and named', async () => {
  const answer = await over(rawCall(client, '/test.Echo/Nothing'));
  expect(rawStatus(answer)).toEqual(['12', 'The server does not implement the method /test.Echo/Nothing']);
  expect(rawStatus(await over(rawCall(client, '/', {}, true)))[0]).toBe('12');
});

test('one path, two servers in the process: each has its own methods', async () => {
  const other = new NativeServer({ clock });
  const otherClient = rawClient(await other.listen('127.0.0.1:0'));
  for (const path of [Unary.path, '/']) {
    expect(rawStatus(await ask(path, {}, framed('x')))[0]).toBe(path === '/' ? '12' : '0');
    expect(rawStatus(await over(rawCall(otherClient, path)))[0]).toBe('12');
  }
  otherClient.destroy();
  await other.drain(0);
});

test.each([
  ['another content type', { 'content-type': 'application/json' }, 415],
  ['gRPC-Web', { 'content-type': 'application/grpc-web' }, 415],
  ['another method', { ':method': 'GET' }, 405],
])('%s is told so in the terms of HTTP', async (_name, headers, status) => {
  const answer = await ask(Unary.path, headers, 'not a message');
  expect(answer.headers?.status).toBe(status);
  expect(Buffer.concat(answer.body).toString()).toMatch(/^This is a gRPC server/);
  expect(asked).toEqual([]);
});

test('what is no gRPC is read to its end, but not for ever; HEAD gets no body', async () => {
  const long = rawCall(client, '/upload', { 'content-type': 'text/plain' });
  long.stream.write(Buffer.alloc(65_536));
  await new Promise(setImmediate);
  expect(long.headers).toBeUndefined();
  long.stream.write(Buffer.alloc(1));
  await until(() => long.over);
  expect(long.headers?.status).toBe(415);
  const head = await over(rawCall(client, '/', { ':method': 'HEAD' }, true));
  expect([head.headers?.status, head.body]).toEqual([405, []]);
});

test.each(['application/grpc+proto', 'application/grpc;charset=utf-8'])('content type %s is gRPC', async (type) => {
  expect(rawStatus(await ask(Unary.path, { 'content-type': type }, framed('x')))[0]).toBe('0');
});

test('a timeout that is none is INTERNAL', async () => {
  expect(rawStatus(await over(rawCall(client, Unary.path, { 'grpc-timeout': '1 second' })))).toEqual([
    '13',
    'Invalid grpc-timeout value "1 second"',
  ]);
});

test('a compressed message of an encoding nobody knows is UNIMPLEMENTED, and those known are named', async () => {
  const answer = await ask(Unary.path, { 'grpc-encoding': 'snappy' }, framed('x', 1));
  expect(rawStatus(answer)[0]).toBe('12');
  expect(answer.headers?.get('grpc-accept-encoding')).toBe('identity,deflate,gzip');
  expect(rawStatus(await ask(Unary.path, { 'grpc-encoding': 'snappy' }, framed('not compressed')))[0]).toBe('0');
});

test('when the deadline passes, the client and the handler learn of it, whatever has come so far', async () => {
  const waiting = rawCall(client, Unary.path, { 'grpc-timeout': '50m' });
  waiting.stream.write(framed('wait'), true);
  const half = rawCall(client, Unary.path, { 'grpc-timeout': '60m' });
  half.stream.write(framed('long').subarray(0, 7));
  const chat = rawCall(client, Chat.path, { 'grpc-timeout': '1S' });
  chat.stream.write(framed('hello'));
  const free = rawCall(client, Chat.path);
  await until(() => asked.length === 3 && server.room.memory.used === 4);
  expect(asked.map(({ deadline }) => deadline)).toEqual([7050, 8000, undefined]);
  clock.advance(49);
  await new Promise(setImmediate);
  expect([waiting.over, half.over]).toEqual([false, false]);
  clock.advance(951);
  for (const answer of [waiting, half, chat]) {
    await until(() => answer.over);
    expect(rawStatus(answer)).toEqual(['4', 'Deadline exceeded']);
  }
  expect(Buffer.concat(chat.body)).toEqual(framed('hello'));
  expect(cancelled).toEqual([Unary.path, Chat.path]);
  // Its handler works on, and counts.
  expect(server.calls.size).toBe(2);
  finish();
  await until(() => server.calls.size === 1);
  expect(asked.map((call) => call.cancelled)).toEqual([true, true, false]);
  expect(free.over).toBe(false);
  free.stream.reset(8);
  await until(() => cancelled.length === 3);
});

test('a client stream whose handler ends without a response is INTERNAL', async () => {
  expect(rawStatus(await ask(Upload.path, {}, framed('a')))).toEqual(['13', 'internal error']);
});

test('what is sent after the end of a call is read past', async () => {
  const late = rawCall(client, '/nowhere');
  late.stream.write(Buffer.alloc(3_000_000), true);
  await until(() => late.over);
  for (let i = 0; i < 30; i += 1) {
    const unheard = rawCall(client, Unary.path);
    unheard.stream.write(Buffer.concat([Buffer.from([9, 0, 0, 0, 0]), Buffer.alloc(4_000_000)]), true);
    await until(() => unheard.over);
    expect(rawStatus(unheard)[0]).toBe('13');
  }
  // 120 MB, and the connection's window is 64 MiB.
  expect(rawStatus(await ask(Unary.path, {}, framed('x')))[0]).toBe('0');
});

test('binary headers come padded or not, and several in one', async () => {
  await ask(Unary.path, { 'a-bin': 'AQI=', 'b-bin': 'AQI', 'c-bin': 'AQI,Aw==', text: 'plain' }, framed('x'));
  const [call] = asked as [CallContext];
  for (const name of ['a-bin', 'b-bin', 'c-bin']) expect(call.binaryHeader(name)).toEqual(Buffer.from([1, 2]));
  expect(call.header('text')).toBe('plain');
  expect([call.header('a-bin'), call.binaryHeader('text'), call.header('none')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
