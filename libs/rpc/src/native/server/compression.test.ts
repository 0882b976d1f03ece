import { systemClock } from '@shoal/core';
import type { ClientConnection } from '@shoal/http2';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { gunzipSync } from 'node:zlib';
import type { CallContext, Compression, StreamCall } from '../../server';
import { echoService } from '../../testing/echo-service';
import { type RawAnswer, framed, rawCall, rawClient, rawStatus } from '../../testing/raw-client';
import { NativeServer } from './native-server';

const { Unary, Chat } = echoService;
const accepting = { 'grpc-accept-encoding': 'identity, gzip' };
let openBefore: string[];
let server: NativeServer;
let client: ClientConnection;

beforeEach(() => (openBefore = openNow()));
afterEach(async () => {
  client.destroy();
  await server.drain(0);
  await assertNothingOpen(openBefore);
});

/** Answers with as many letters as it is told to; `+` and `-` switch compression. */
async function start(responseCompression?: Compression): Promise<void> {
  server = new NativeServer({ clock: systemClock, ...(responseCompression && { responseCompression }) });
  server.addService(echoService, {
    Unary: (text: string, call: CallContext) => answer(text, call),
    Chat(call: StreamCall<string, string>) {
      call.onMessage((text) => call.write(answer(text, call)));
      call.onEnd(() => call.end());
    },
  });
  client = rawClient(await server.listen('127.0.0.1:0'));
}

function answer(text: string, call: CallContext): string {
  if (text.startsWith('+')) call.compressResponses('low');
  if (text.startsWith('-')) call.compressResponses('none');
  return 'abcdefghij'.repeat(Number(text.replace(/^[-+]/, '')) / 10);
}

async function ask(path: string, headers: Record<string, string>, ...texts: string[]): Promise<RawAnswer> {
  const asked = rawCall(client, path, headers);
  for (const text of texts) asked.stream.write(framed(text));
  asked.stream.write(Buffer.alloc(0), true);
  await until(() => asked.over);
  expect(rawStatus(asked)[0]).toBe('0');
  return asked;
}

/** Of each message: whether it came compressed, and its length inflated. */
function messages(asked: RawAnswer): [boolean, number][] {
  const found: [boolean, number][] = [];
  let bytes = Buffer.concat(asked.body);
  while (bytes.length > 0) {
    const end = 5 + bytes.readUInt32BE(1);
    const message = bytes.subarray(5, end);
    found.push([bytes[0] === 1, (bytes[0] === 1 ? gunzipSync(message) : message).length]);
    bytes = bytes.subarray(end);
  }
  return found;
}

test.each(['low', 'medium', 'high'] as const)('%s: messages worth it are compressed, in their order', async (level) => {
  await start(level);
  const asked = await ask(Chat.path, accepting, '2000000', '10', '1000', '0', '300000');
  expect(asked.headers?.get('grpc-encoding')).toBe('gzip');
  expect(messages(asked)).toEqual([
    [true, 2_000_000],
    [false, 10],
    [true, 1000],
    [false, 0],
    [true, 300_000],
  ]);
  expect(messages(await ask(Unary.path, accepting, '500000'))).toEqual([[true, 500_000]]);
});

test('not for clients that do not accept it', async () => {
  await start('high');
  for (const headers of [{}, { 'grpc-accept-encoding': 'deflate' }]) {
    const asked = await ask(Unary.path, headers, '+5000');
    expect(asked.headers?.get('grpc-encoding')).toBeUndefined();
    expect(messages(asked)).toEqual([[false, 5000]]);
  }
});

test('a handler chooses for itself, from message to message', async () => {
  await start();
  expect(messages(await ask(Unary.path, accepting, '1000'))).toEqual([[false, 1000]]);
  expect(messages(await ask(Unary.path, accepting, '+1000'))).toEqual([[true, 1000]]);
  const asked = await ask(Chat.path, accepting, '+100000', '-100000', '200000', '+300000');
  expect(messages(asked)).toEqual([
    [true, 100_000],
    [false, 100_000],
    [false, 200_000],
    [true, 300_000],
  ]);
  // Too late: the headers did not say so.
  expect(messages(await ask(Chat.path, accepting, '1000', '+1000'))).toEqual([
    [false, 1000],
    [false, 1000],
  ]);
});

test('who gives up while an answer is compressed harms nobody', async () => {
  await start('high');
  const asked = rawCall(client, Unary.path, accepting);
  asked.stream.write(framed('20000000'), true);
  await until(() => server.calls.size === 0 && asked.headers !== undefined);
  asked.stream.reset(8);
  expect(messages(await ask(Unary.path, accepting, '1000'))).toEqual([[true, 1000]]);
});

test('a handler that waits for its answers to be compressed is told to go on', async () => {
  server = new NativeServer({ clock: systemClock, responseCompression: 'low' });
  let waits = 0;
  server.addService(echoService, {
    Download(_request: string, call: StreamCall<never, string>) {
      const text = 'abcdefghij'.repeat(40_000);
      let left = 12;
      const go = () => {
        while (left-- > 0) {
          if (call.write(text)) continue;
          waits += 1;
          return;
        }
        call.end();
      };
      call.onDrain(go);
      go();
    },
  });
  client = rawClient(await server.listen('127.0.0.1:0'));
  expect(messages(await ask('/test.Echo/Download', accepting, 'x'))).toHaveLength(12);
  expect(waits).toBeGreaterThan(0);
});
