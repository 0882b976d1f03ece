import { ShoalError, systemClock } from '@shoal/core';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { grpcCarriers } from './carrier';
import type { RpcClient, UnaryCaller } from './client';
import { createClient } from './create-client';
import { createServer } from './create-server';
import type { CallContext, RpcServer, StreamCall } from './server';
import { echoService } from './testing/echo-service';

type Chat = StreamCall<string, string>;

const { Unary, Chat } = echoService;
const pairs = grpcCarriers.flatMap((client) => grpcCarriers.map((server) => [client, server] as const));

describe.each(pairs)('a client on %s, a server on %s', (carrier, serverCarrier) => {
  let openBefore: string[];
  let server: RpcServer;
  let client: RpcClient;
  let waiting: CallContext[];

  beforeEach(async () => {
    openBefore = openNow();
    waiting = [];
    server = createServer({ clock: systemClock, carrier: serverCarrier });
    server.addService(echoService, {
      Unary(text: string, call: CallContext) {
        if (text === 'wait') {
          waiting.push(call);
          return new Promise<string>(() => undefined);
        }
        if (text === 'fail') throw new ShoalError('OUT_OF_RANGE', 'too far');
        return `${call.header('x-who') ?? ''}${text}`;
      },
      Chat(call: Chat) {
        waiting.push(call);
        call.onMessage((text) => {
          if (text === 'fail') call.end(new ShoalError('ABORTED', 'enough'));
          else if (text.startsWith('burst')) for (let i = 0; i < 50; i += 1) call.write(`${i}`);
          else call.write(text);
        });
        // A cancelled client half-closes on the wire just before it resets the stream.
        if (call.header('x-hold') === undefined) call.onEnd(() => call.end());
      },
    });
    client = createClient(`127.0.0.1:${await server.listen('127.0.0.1:0')}`, { carrier });
  });

  afterEach(async () => {
    client.close();
    await server.drain(1000);
    await assertNothingOpen(openBefore);
  });

  async function callArrived(): Promise<CallContext> {
    await until(() => waiting.length > 0);
    return waiting[0] as CallContext;
  }

  test('unary: the answer, the headers, the status as our error', async () => {
    await expect(client.unary(Unary, 'x', { headers: { 'x-who': 'me-' } })).resolves.toBe('me-x');
    const error = await client.unary(Unary, 'fail').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ShoalError);
    expect(error).toMatchObject({ code: 'OUT_OF_RANGE', message: 'too far' });
  });

  test('unary: a timeout and an abort end it on both sides', async () => {
    await expect(client.unary(Unary, 'wait', { timeoutMs: 30 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    waiting.length = 0;
    const abort = new AbortController();
    const asked = client.unary(Unary, 'wait', { signal: abort.signal });
    const call = await callArrived();
    const told = new Promise<void>((resolve) => call.onCancel(resolve));
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
    await told;
    await expect(client.unary(Unary, 'x', { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('nobody there: UNAVAILABLE', async () => {
    const lonely = createClient('127.0.0.1:1', { carrier });
    await expect(lonely.unary(Unary, 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    lonely.close();
  });

  test('passthrough: bytes both ways, and plain Uint8Arrays are welcome', async () => {
    const raw = createClient(`127.0.0.1:${await server.listen('127.0.0.1:0')}`, { carrier, passthrough: true });
    const answer: unknown = await raw.unary<unknown, unknown>(Unary as never, new Uint8Array([104, 105]));
    expect(answer).toEqual(Buffer.from('hi'));
    raw.close();
  });

  test('stream: messages in order, then the end', async () => {
    const stream = client.stream(Chat);
    const heard: string[] = [];
    const end = new Promise<unknown>((resolve) => stream.onEnd(resolve));
    stream.onMessage((text) => heard.push(text));
    for (const text of ['a', 'b', 'c']) stream.write(text);
    stream.end();
    await expect(end).resolves.toBeUndefined();
    expect(heard).toEqual(['a', 'b', 'c']);
    expect(stream.bufferedBytes).toBe(0);
    expect(stream.write('late')).toBe(false);
  });

  test('stream: a failure is told, also to one who asks later', async () => {
    const stream = client.stream(Chat);
    stream.onMessage(() => undefined);
    stream.write('fail');
    const error = await new Promise<unknown>((resolve) => stream.onEnd(resolve));
    expect(error).toMatchObject({ code: 'ABORTED', message: 'enough' });
    const again = await new Promise<unknown>((resolve) => stream.onEnd(resolve));
    expect(again).toBe(error);
  });

  test('stream: nobody listens for messages and none comes, the end is told', async () => {
    const stream = client.stream(Chat);
    const end = new Promise<unknown>((resolve) => stream.onEnd(resolve));
    stream.end();
    await expect(end).resolves.toBeUndefined();
  });

  test('stream: paused, it holds what came; resumed, nothing is lost before the end', async () => {
    const stream = client.stream(Chat);
    const heard: string[] = [];
    const end = new Promise<unknown>((resolve) => stream.onEnd(resolve));
    stream.onMessage((text) => heard.push(text));
    stream.pause();
    stream.write('burst');
    stream.end();
    for (let i = 0; i < 20; i += 1) await client.unary(Unary, 'turn');
    expect(heard).toEqual([]);
    stream.resume();
    await expect(end).resolves.toBeUndefined();
    expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  });

  test('stream: a writer that is too quick is told to wait, and when to go on', async () => {
    const stream = client.stream(Chat);
    stream.onMessage(() => undefined);
    const drained = new Promise<void>((resolve) => stream.onDrain(resolve));
    const large = 'x'.repeat(300_000);
    let writes = 1;
    while (stream.write(large) && writes < 100) writes += 1;
    expect(writes).toBe(4);
    expect(stream.bufferedBytes).toBe(4 * 300_000);
    await drained;
    expect(stream.bufferedBytes).toBeLessThan(1024 * 1024);
    stream.cancel();
    await expect(new Promise((resolve) => stream.onEnd(resolve))).resolves.toMatchObject({ code: 'CANCELLED' });
  });

  test('stream: cancelled by its signal, the handler is told', async () => {
    const abort = new AbortController();
    const stream = client.stream(Chat, { signal: abort.signal, headers: { 'x-hold': 'yes' } });
    stream.onMessage(() => undefined);
    const call = await callArrived();
    const told = new Promise<void>((resolve) => call.onCancel(resolve));
    abort.abort();
    await told;
    const aborted = client.stream(Chat, { signal: abort.signal });
    await expect(new Promise((resolve) => aborted.onEnd(resolve))).resolves.toMatchObject({ code: 'CANCELLED' });
  });

  test('a caller of bytes: each call has its end, with its tag, and none before it has begun', async () => {
    const told: string[] = [];
    let calling = false;
    const listener = {
      answered: (tag: number, message: Buffer) => void told.push(`${calling} ${tag} ${message.toString()}`),
      failed: (tag: number, error: ShoalError) => void told.push(`${calling} ${tag} ${error.code}`),
    };
    const call = (caller: UnaryCaller, text: string, tag: number) => {
      calling = true;
      caller.call(Buffer.from(text), tag);
      calling = false;
    };
    const caller = client.unaryCaller(Unary.path, listener, { headers: { 'x-who': 'me-' }, timeoutMs: 10_000 });
    for (const [tag, text] of ['a', 'fail', 'b'].entries()) call(caller, text, tag);
    call(client.unaryCaller(Unary.path, listener, { timeoutMs: 30 }), 'wait', 3);
    await until(() => told.length === 4);
    const ends = ['false 0 me-a', 'false 1 OUT_OF_RANGE', 'false 2 me-b', 'false 3 DEADLINE_EXCEEDED'];
    expect(told.toSorted()).toEqual(ends);
    told.length = 0;
    call(client.unaryCaller(Unary.path, listener, { timeoutMs: 0 }), 'late', 5);
    const lonely = createClient('127.0.0.1:1', { carrier });
    const nobody = lonely.unaryCaller(Unary.path, listener);
    call(nobody, 'x', 6);
    await until(() => told.length === 2);
    call(nobody, 'x', 7);
    await until(() => told.length === 3);
    expect(told).toEqual(['false 5 DEADLINE_EXCEEDED', 'false 6 UNAVAILABLE', 'false 7 UNAVAILABLE']);
    lonely.close();
  });

  test('a caller of bytes: large answers, one after the other, are all right', async () => {
    const bad: number[] = [];
    let answers = 0;
    const caller = client.unaryCaller(Unary.path, {
      answered(tag, message) {
        answers += 1;
        if (!message.equals(Buffer.alloc(100_000 + tag, 97 + (tag % 26)))) bad.push(tag);
        if (answers <= 40) caller.call(Buffer.alloc(100_008 + tag, 97 + ((tag + 8) % 26)), tag + 8);
      },
      failed: (tag) => void bad.push(tag),
    });
    for (let tag = 0; tag < 8; tag += 1) caller.call(Buffer.alloc(100_000 + tag, 97 + tag), tag);
    await until(() => answers === 48 || bad.length > 0);
    expect(bad).toEqual([]);
  });
});
