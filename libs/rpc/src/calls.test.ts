import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import { ShoalError, systemClock } from '@shoal/core';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import type { CallContext, Handlers, RpcServer, ServiceOptions, StreamCall } from './server';
import { maxDecodedBytes } from './method';
import { echoService } from './testing/echo-service';
import { grpcCarriers } from './carrier';
import { createServer } from './create-server';

type Chat = StreamCall<string, string>;

const { Unary, Upload, Download, Chat } = echoService;
describe.each(grpcCarriers)('calls on %s', (carrier) => {
  const reported: { thrown: unknown; path: string }[] = [];
  let openBefore: string[];
  let server: RpcServer;
  let client: Client;

  /** A stock grpc-js client against our server with these handlers. */
  async function start(
    handlers: Handlers,
    settings: { maxMessageBytes?: number } = {},
    compression = 0,
    service: ServiceOptions = {},
  ): Promise<void> {
    server = createServer({
      carrier,
      clock: systemClock,
      onError: (thrown, path) => reported.push({ thrown, path }),
      ...settings,
    });
    server.addService(echoService, handlers, service);
    const port = await server.listen('127.0.0.1:0');
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': compression,
    });
  }

  function unary(request: string, options: { deadline?: number } = {}, raw = false): Promise<string> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        Unary.path,
        raw ? (hex: string) => Buffer.from(hex, 'hex') : Unary.requestSerialize,
        Unary.responseDeserialize,
        request,
        options,
        (error, response) => (error ? reject(error) : resolve(response ?? '')),
      );
    });
  }

  beforeEach(() => {
    openBefore = openNow();
    reported.length = 0;
  });

  afterEach(async () => {
    client.close();
    await server.drain(1000);
    await assertNothingOpen(openBefore);
  });

  test('unary: an answer at once and one that is promised', async () => {
    await start({ Unary: (text: string) => (text === 'now' ? 'at once' : Promise.resolve(`later ${text}`)) });
    await expect(unary('now')).resolves.toBe('at once');
    await expect(unary('grüß')).resolves.toBe('later grüß');
  });

  test('client stream: many requests, one response', async () => {
    await start({
      Upload(call: Chat) {
        const heard: string[] = [];
        call.onMessage((text) => heard.push(text));
        call.onEnd(() => {
          call.write(heard.join('+'));
          call.end();
        });
      },
    });
    const response = await new Promise((resolve, reject) => {
      const call = client.makeClientStreamRequest(
        Upload.path,
        Upload.requestSerialize,
        Upload.responseDeserialize,
        (error, text) => (error ? reject(error) : resolve(text)),
      );
      for (const text of ['a', 'b', 'c']) call.write(text);
      call.end();
    });
    expect(response).toBe('a+b+c');
  });

  test('server stream: one request, many responses, in order', async () => {
    await start({
      Download(request: string, call: Chat) {
        for (let i = 0; i < 100; i += 1) call.write(`${request}${i}`);
        call.end();
      },
    });
    const call = client.makeServerStreamRequest(
      Download.path,
      Download.requestSerialize,
      Download.responseDeserialize,
      'n',
    );
    const heard: string[] = [];
    for await (const text of call) heard.push(text as string);
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => `n${i}`));
  });

  test('two-way stream: answers come while requests go on; the end carries the status', async () => {
    await start({
      Chat(call: Chat) {
        call.onMessage((text) => call.write(`re: ${text}`));
        call.onEnd(() => call.end(new ShoalError('NOT_FOUND', 'no more')));
      },
    });
    const call = client.makeBidiStreamRequest(Chat.path, Chat.requestSerialize, Chat.responseDeserialize);
    const heard: string[] = [];
    call.on('error', () => undefined);
    call.on('data', (text: string) => {
      heard.push(text);
      if (heard.length < 3) call.write(String(heard.length));
      else call.end();
    });
    call.write('0');
    const end = await new Promise<{ code: number; details: string }>((resolve) => void call.on('status', resolve));
    expect(heard).toEqual(['re: 0', 're: 1', 're: 2']);
    expect(end).toMatchObject({ code: status.NOT_FOUND, details: 'no more' });
  });

  test.each([
    ['plain', 'no such model'],
    ['a newline, a percent sign and no ASCII', 'line 1\nline 2: 100% “größer” 🐟'],
    ['a lone surrogate', 'bad \ud800 text'],
  ])('an error message survives: %s', async (_name, message) => {
    await start({
      Unary() {
        throw new ShoalError('INVALID_ARGUMENT', message);
      },
    });
    const wanted = message.replace('\ud800', '\ufffd');
    await expect(unary('x')).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, details: wanted });
    expect(reported).toEqual([]);
  });

  test('a long error message is shortened to what clients accept in their headers', async () => {
    await start({ Unary: () => Promise.reject(new ShoalError('INTERNAL', 'ß'.repeat(10_000))) });
    const error = await unary('x').catch((thrown: unknown) => thrown as { details: string });
    expect((error as { details: string }).details).toMatch(/^ß{600,700}…$/);
  });

  test('anything else that is thrown is INTERNAL without details, and reported', async () => {
    const bug = new TypeError('/secret/path is not a function');
    await start({
      Unary: () => Promise.reject(bug),
      Chat: async () => {
        await Promise.resolve();
        throw bug;
      },
      Download(_request: string, call: Chat) {
        call.onDrain(() => undefined);
        throw bug;
      },
    });
    const internal = { code: status.INTERNAL, details: 'internal error' };
    await expect(unary('x')).rejects.toMatchObject(internal);
    for (const path of [Chat.path, Download.path]) {
      const call = client.makeBidiStreamRequest(path, Chat.requestSerialize, Chat.responseDeserialize);
      call.on('error', () => undefined).resume();
      call.end('x');
      const end = await new Promise<object>((resolve) => void call.on('status', resolve));
      expect(end).toMatchObject(internal);
    }
    expect(reported).toEqual([Unary.path, Chat.path, Download.path].map((path) => ({ thrown: bug, path })));
  });

  test('a message that cannot be decoded is INVALID_ARGUMENT', async () => {
    const heard: string[] = [];
    await start({
      Unary: (text: string) => text,
      Chat: (call: Chat) => call.onMessage((text) => heard.push(text)),
    });
    const wanted = {
      code: status.INVALID_ARGUMENT,
      details: `the request message of ${Unary.path} cannot be decoded: an exclamation mark is no message`,
    };
    await expect(unary('21', {}, true)).rejects.toMatchObject(wanted);
    const call = client.makeBidiStreamRequest(Chat.path, Chat.requestSerialize, Chat.responseDeserialize);
    call.on('error', () => undefined).resume();
    call.write('fine');
    call.write('!');
    const end = await new Promise<object>((resolve) => void call.on('status', resolve));
    expect(end).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(heard).toEqual(['fine']);
    expect(reported).toEqual([]);
  });

  test('a message above the limit is RESOURCE_EXHAUSTED and names both sizes; one at the limit passes', async () => {
    await start({ Unary: (text: string) => String(text.length) }, { maxMessageBytes: 1000 });
    await expect(unary('x'.repeat(1000))).resolves.toBe('1000');
    const error = { code: status.RESOURCE_EXHAUSTED, details: expect.stringMatching(/1001.*1000/) as string };
    await expect(unary('x'.repeat(1001))).rejects.toMatchObject(error);
  });

  test('what is decoded into objects has at most 4 MiB, but for methods that take large messages', async () => {
    const length = (text: string) => String(text.length);
    await start({ Unary: length });
    await expect(unary('x'.repeat(maxDecodedBytes))).resolves.toBe(String(maxDecodedBytes));
    const error = { code: status.RESOURCE_EXHAUSTED, details: expect.stringMatching(/4194305.*4194304/) as string };
    await expect(unary('x'.repeat(maxDecodedBytes + 1))).rejects.toMatchObject(error);
    client.close();
    await server.drain(1000);
    await start({ Unary: length }, {}, 0, { large: ['Unary'] });
    await expect(unary('x'.repeat(maxDecodedBytes + 1))).resolves.toBe(String(maxDecodedBytes + 1));
  });

  test.each([
    ['deflate', 1],
    ['gzip', 2],
  ])('requests compressed with %s are understood, and what they inflate to is limited', async (_name, compression) => {
    await start({ Unary: (text: string) => String(text.length) }, { maxMessageBytes: 100_000 }, compression);
    await expect(unary('x'.repeat(100_000))).resolves.toBe('100000');
    await expect(unary('x'.repeat(100_001))).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  test('methods without a handler are UNIMPLEMENTED, and a handler without a method is a bug', async () => {
    await start({});
    await expect(unary('x')).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    expect(() => server.addService(echoService, { Unray: (text: string) => text })).toThrow('no method Unray');
  });

  test('headers, peer and path; nothing but standard metadata comes back', async () => {
    const seen: unknown[] = [];
    await start({
      Unary(text: string, call: CallContext) {
        seen.push(call.path, call.header('x-key'), call.header('missing'), call.header('x-bin'), call.deadline);
        expect(call.peer).toMatch(/^127\.0\.0\.1:\d+$/);
        return text;
      },
    });
    const metadata = new Metadata();
    metadata.set('x-key', 'value');
    metadata.set('x-bin', Buffer.from('b'));
    const got = await new Promise<{ initial: Metadata; trailing: Metadata }>((resolve, reject) => {
      let initial: Metadata;
      client
        .makeUnaryRequest(Unary.path, Unary.requestSerialize, Unary.responseDeserialize, 'x', metadata, (error) => {
          if (error) reject(error);
        })
        .on('metadata', (received) => (initial = received))
        .on('status', ({ metadata: trailing }) => resolve({ initial, trailing }));
    });
    expect(seen).toEqual([Unary.path, 'value', undefined, undefined, undefined]);
    const standard = carrier === 'native' ? ['content-type'] : ['content-type', 'date'];
    expect(Object.keys(got.initial.getMap()).toSorted()).toEqual(standard);
    expect(got.trailing.getMap()).toEqual({});
  });

  test('a deadline is given on the clock of the server, and passes on both sides', async () => {
    const clock = new FakeClock(5000);
    server = createServer({ carrier, clock });
    const told = new Promise<CallContext>((resolve) => {
      server.addService(echoService, {
        Unary(_text: string, call: CallContext) {
          call.onCancel(() => resolve(call));
          return new Promise<string>(() => undefined);
        },
      });
    });
    const port = await server.listen('127.0.0.1:0');
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    await expect(unary('x', { deadline: systemClock.epochMs() + 60 })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    const call = await told;
    expect(call.cancelled).toBe(true);
    expect(call.deadline).toBeGreaterThan(5000 - 60);
    expect(call.deadline).toBeLessThanOrEqual(5000 + 60);
    client.close();
    await server.drain(1000);
    expect(clock.pending).toBe(0);
  });

  test.each([30, 40, 60, 365])('a deadline in %d days is none', async (days) => {
    const seen: unknown[] = [];
    await start({
      Unary(text: string, call: CallContext) {
        seen.push(call.deadline);
        return text;
      },
    });
    const deadline = systemClock.epochMs() + days * 86_400_000;
    await expect(unary('x', { deadline })).resolves.toBe('x');
    expect(seen).toEqual([undefined]);
  });

  test('a cancelled call tells its handler once, and its answer goes nowhere', async () => {
    let told = 0;
    let answer: ((text: string) => void) | undefined;
    await start({
      Unary(text: string, call: CallContext) {
        if (text === 'ping') return text;
        call.onCancel(() => (told += 1));
        return new Promise<string>((resolve) => (answer = resolve));
      },
    });
    const { requestSerialize, responseDeserialize } = Unary;
    const call = client.makeUnaryRequest(Unary.path, requestSerialize, responseDeserialize, 'x', () => undefined);
    await until(() => answer !== undefined);
    call.cancel();
    await until(() => told > 0);
    answer?.('too late');
    await unary('ping');
    expect(told).toBe(1);
  });

  test('a call that ended well tells of no cancellation', async () => {
    let told = 0;
    await start({
      Unary(text: string, call: CallContext) {
        call.onCancel(() => (told += 1));
        return text;
      },
    });
    for (let i = 0; i < 20; i += 1) await unary('x');
    expect(told).toBe(0);
  });
});
