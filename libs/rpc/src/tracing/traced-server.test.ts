import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { ShoalError, systemClock } from '@shoal/core';
import { MemoryTracing, formatTraceparent, unsampledTraceparent } from '@shoal/telemetry';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { grpcCarriers } from '../carrier';
import { createServer } from '../create-server';
import type { CallContext, Handlers, RpcServer, StreamCall } from '../server';
import { echoService } from '../testing/echo-service';
import { callSpan, traceHeaders } from './call-span';
import { serverPlace } from './server-span';
import { tracedServer } from './traced-server';

type Chat = StreamCall<string, string>;
const { Unary, Download, Chat } = echoService;
const name = (path: string) => path.slice(1);

describe.each(grpcCarriers)('on %s', (carrier) => {
  let openBefore: string[];
  let tracing: MemoryTracing;
  let server: RpcServer;
  let client: Client;

  async function start(handlers: Handlers, exempt: string[] = []): Promise<void> {
    tracing = new MemoryTracing();
    const open = (method: string, call: CallContext, at: number) => tracing.door.open(method, '', call, at);
    server = tracedServer(createServer({ carrier, clock: systemClock }), systemClock, open, new Set(exempt));
    server.addService(echoService, handlers);
    client = new Client(`127.0.0.1:${await server.listen('127.0.0.1:0')}`, credentials.createInsecure());
  }

  function unary(request: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const { path, requestSerialize, responseDeserialize } = Unary;
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error, response) =>
        error ? reject(error) : resolve(response ?? ''),
      );
    });
  }

  function download(): Promise<{ code: number; heard: string[] }> {
    const { path, requestSerialize, responseDeserialize } = Download;
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, 'x');
    const heard: string[] = [];
    call.on('error', () => undefined).on('data', (text: string) => heard.push(text));
    return new Promise((resolve) => void call.on('status', ({ code }) => resolve({ code, heard })));
  }

  /** Of the spans that ended: name, status, whether it is an error. */
  function seen(): unknown[] {
    return tracing.spans.map((span) => [span.name, span.attributes['rpc.status_code'], span.failure !== undefined]);
  }

  beforeEach(() => {
    openBefore = openNow();
  });

  afterEach(async () => {
    client.close();
    await server.drain(1000);
    await assertNothingOpen(openBefore);
  });

  test('a call has a span, ended with its status, however its handler answers', async () => {
    await start({
      Unary(text: string, call: CallContext) {
        if (text === 'now') return traceHeaders(call, tracing.propagator)['traceparent'];
        if (text === 'later') return Promise.resolve(text);
        throw new ShoalError(text === 'mine' ? 'INTERNAL' : 'NOT_FOUND', 'no');
      },
    });
    const context = await unary('now');
    expect(context).toBe(`00-${tracing.spans[0]?.traceId}-${tracing.spans[0]?.spanId}-01`);
    await unary('later');
    await unary('mine').catch(() => undefined);
    await unary('yours').catch(() => undefined);
    const method = name(Unary.path);
    expect(seen()).toEqual([
      [method, 'OK', false],
      [method, 'OK', false],
      [method, 'INTERNAL', true],
      [method, 'NOT_FOUND', false],
    ]);
  });

  test('a stream of answers has a span until its end, or until nobody waits for it', async () => {
    let cancelled = 0;
    let behave: (call: Chat) => unknown = (call) => {
      call.write('one');
      call.end();
    };
    await start({ Download: (_request: string, call: Chat) => behave(call) });
    expect(await download()).toEqual({ code: 0, heard: ['one'] });
    behave = (call) => call.end(new ShoalError('UNAVAILABLE', 'gone'));
    await download();
    behave = () => Promise.reject(new ShoalError('ABORTED', 'again'));
    await download();
    let begun: Chat | undefined;
    behave = (call) => {
      call.onCancel(() => (cancelled += 1));
      begun = call;
    };
    const { path, requestSerialize, responseDeserialize } = Download;
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, 'x');
    call.on('error', () => undefined);
    await until(() => begun !== undefined);
    expect(callSpan(begun!)).toBeDefined();
    call.cancel();
    await until(() => tracing.spans.length === 4);
    expect(cancelled).toBe(1);
    const method = name(path);
    expect(seen()).toEqual([
      [method, 'OK', false],
      [method, 'UNAVAILABLE', true],
      [method, 'ABORTED', false],
      [method, 'CANCELLED', false],
    ]);
  });

  test('calls that are not recorded say so to those that are made for them', async () => {
    await start({
      Unary: (_text: string, call: CallContext) => traceHeaders(call, tracing.propagator)['traceparent'] ?? 'none',
    });
    tracing.samples = false;
    expect(await unary('x')).toBe(unsampledTraceparent);
    const parent = tracing.tracer('test').startRoot('caller', 'client', 0);
    const unsampled = formatTraceparent(parent).replace(/01$/, '00');
    expect(await unary('x', { traceparent: unsampled })).toBe(unsampled);
    expect(tracing.spans).toEqual([]);
  });

  test('what has spans of its own is left alone', async () => {
    await start(
      {
        Unary: (text: string) => text,
        Chat(call: Chat) {
          call.onMessage((text) => call.write(text));
          call.onEnd(() => call.end());
        },
      },
      [Unary.path],
    );
    await unary('x');
    const call = client.makeBidiStreamRequest(Chat.path, Chat.requestSerialize, Chat.responseDeserialize);
    call.on('error', () => undefined).resume();
    call.end('x');
    await new Promise((resolve) => void call.on('status', resolve));
    expect(tracing.spans).toEqual([]);
  });
});

test.each([
  ['127.0.0.1:0', { address: '127.0.0.1', port: 7 }],
  ['[::1]:0', { address: '::1', port: 7 }],
  ['localhost:8001', { address: 'localhost', port: 7 }],
  ['unix:/run/door', undefined],
])('a server that listens at %s', (listened, place) => {
  expect(serverPlace(listened, 7)).toEqual(place);
});
