import { ShoalError, systemClock } from '@shoal/core';
import { assertNothingOpen, openNow } from '@shoal/testing';
import { type GrpcCarrier, grpcCarriers } from './carrier';
import type { CallOptions, RpcClient } from './client';
import { createClient } from './create-client';
import { createServer } from './create-server';
import type { Metadata } from './metadata';
import type { CallContext, RpcServer, StreamCall } from './server';
import { echoService } from './testing/echo-service';

type Chat = StreamCall<string, string>;

const { Unary, Upload, Download, Chat } = echoService;
const bytes = Buffer.from([0, 1, 0x7f, 0x80, 0xff]);
const carriers: readonly GrpcCarrier[] = ['grpc-js'];
const pairs = grpcCarriers.flatMap((server) => carriers.map((client) => [server, client] as const));

describe.each(pairs)('metadata, server on %s, client on %s', (serverCarrier, clientCarrier) => {
  let openBefore: string[];
  let server: RpcServer;
  let client: RpcClient;
  let told: string[];
  let headers: Metadata | undefined;
  let trailers: Metadata | undefined;
  let options: CallOptions;
  let peers: Set<string>;

  beforeEach(async () => {
    openBefore = openNow();
    told = [];
    peers = new Set();
    [headers, trailers] = [undefined, undefined];
    server = createServer({ clock: systemClock, carrier: serverCarrier });
    server.addService(echoService, {
      Unary(text: string, call: CallContext) {
        mirror(call);
        peers.add(call.peer);
        if (text === 'fail') throw new ShoalError('NOT_FOUND', 'no');
        return text;
      },
      Upload(call: Chat) {
        mirror(call);
        call.onMessage(() => undefined);
        call.onEnd(() => {
          call.write('heard');
          call.end();
        });
      },
      Download(text: string, call: Chat) {
        mirror(call);
        call.write(text);
        call.setHeaders({ 'x-late': 'too late' });
        call.setTrailers({ 'x-late': 'in time' });
        call.end();
      },
      Chat(call: Chat) {
        mirror(call);
        call.onMessage((text) => call.write(text));
        call.onEnd(() => call.end(call.header('x-fail') === undefined ? undefined : new ShoalError('ABORTED', 'no')));
      },
    });
    client = createClient(`127.0.0.1:${await server.listen('127.0.0.1:0')}`, { carrier: clientCarrier });
    options = {
      headers: { 'x-text': 'some text', 'x-data-bin': bytes },
      onHeaders(metadata) {
        told.push('headers');
        headers = metadata;
      },
      onTrailers(metadata) {
        told.push('trailers');
        trailers = metadata;
      },
    };
  });

  afterEach(async () => {
    client.close();
    await server.drain(1000);
    await assertNothingOpen(openBefore);
  });

  /** Sends the request's own metadata back, once before and once after the messages. */
  function mirror(call: CallContext): void {
    const metadata = { 'x-text': call.header('x-text') ?? '', 'x-data-bin': call.binaryHeader('x-data-bin') as Buffer };
    call.setHeaders({ ...metadata, 'x-twice': '1' });
    call.setHeaders({ 'x-twice': '2' });
    call.setTrailers(metadata);
    call.setTrailers({ 'x-end': 'yes' });
    expect(call.header('x-data-bin')).toBeUndefined();
    expect(call.binaryHeader('x-text')).toBeUndefined();
    expect(call.binaryHeader('x-none-bin')).toBeUndefined();
  }

  const sent = { 'x-text': 'some text', 'x-data-bin': bytes };

  async function exchange(method: typeof Chat, texts: readonly string[]): Promise<unknown> {
    const stream = client.stream(method, options);
    stream.onMessage((text) => told.push(text));
    for (const text of texts) stream.write(text);
    stream.end();
    const error = await new Promise<unknown>((resolve) => stream.onEnd(resolve));
    told.push('end');
    return error;
  }

  test('unary: both ways, before and after the answer', async () => {
    await expect(client.unary(Unary, 'x', options)).resolves.toBe('x');
    expect(headers).toEqual({ ...sent, 'x-twice': '2' });
    expect(trailers).toEqual({ ...sent, 'x-end': 'yes' });
    expect(told).toEqual(['headers', 'trailers']);
  });

  test('unary: a failure brings its metadata too', async () => {
    await expect(client.unary(Unary, 'fail', options)).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'no' });
    expect(headers).toEqual({ ...sent, 'x-twice': '2' });
    expect(trailers).toEqual({ ...sent, 'x-end': 'yes' });
  });

  test('streams in one direction', async () => {
    await expect(exchange(Upload, ['a', 'b'])).resolves.toBeUndefined();
    expect(told).toEqual(['headers', 'heard', 'trailers', 'end']);
    told.length = 0;
    await expect(exchange(Download, ['c'])).resolves.toBeUndefined();
    expect(told).toEqual(['headers', 'c', 'trailers', 'end']);
    expect(headers).toEqual({ ...sent, 'x-twice': '2' });
    expect(trailers).toEqual({ ...sent, 'x-end': 'yes', 'x-late': 'in time' });
  });

  test('a stream in both directions, also one that fails, also one without a message', async () => {
    await expect(exchange(Chat, ['a', 'b'])).resolves.toBeUndefined();
    expect(told).toEqual(['headers', 'a', 'b', 'trailers', 'end']);
    options = { ...options, headers: { ...sent, 'x-fail': 'yes' } };
    [told, headers, trailers] = [[], undefined, undefined];
    await expect(exchange(Chat, [])).resolves.toMatchObject({ code: 'ABORTED', message: 'no' });
    expect(told).toEqual(['headers', 'trailers', 'end']);
    expect(headers).toEqual({ ...sent, 'x-twice': '2' });
    expect(trailers).toEqual({ ...sent, 'x-end': 'yes' });
  });

  test('compressed requests, over several connections', async () => {
    client.close();
    const port = await server.listen('127.0.0.1:0');
    client = createClient(`127.0.0.1:${port}`, { carrier: clientCarrier, connections: 3 });
    const text = 'to be squeezed '.repeat(1000);
    for (const compression of ['gzip', 'deflate'] as const) {
      const asked = Array.from({ length: 6 }, () => client.unary(Unary, text, { ...options, compression }));
      await expect(Promise.all(asked)).resolves.toEqual(asked.map(() => text));
    }
    expect(peers.size).toBeGreaterThanOrEqual(3);
    await expect(client.unary(Unary, text, options)).resolves.toBe(text);
  });
});
