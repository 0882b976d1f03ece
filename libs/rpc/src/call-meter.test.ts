import { Client, credentials } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/core';
import { FakeClock, until } from '@shoal/testing';
import { grpcCarriers } from './carrier';
import { createServer } from './create-server';
import type { CallContext, RpcServer, StreamCall } from './server';
import { echoService } from './testing/echo-service';

const { Unary, Chat } = echoService;

describe.each(grpcCarriers)('what is told of the ends of calls on %s', (carrier) => {
  let clock: FakeClock;
  let server: RpcServer;
  let client: Client;
  let asked: string[];
  let ends: [path: string, code: string, ms: number][];
  let cancelled: boolean;

  beforeEach(async () => {
    clock = new FakeClock(1_000);
    asked = [];
    ends = [];
    cancelled = false;
    server = createServer({
      carrier,
      clock,
      meterOf(path) {
        asked.push(path);
        return { ended: (code, ms) => ends.push([path, code, ms]) };
      },
    });
    server.addService(echoService, {
      Unary(text: string, call: CallContext) {
        clock.advance(5);
        if (text === 'bad') throw new ShoalError('INVALID_ARGUMENT', 'no');
        if (text === 'broken') throw new Error('not for others');
        if (text !== 'never') return text;
        call.onCancel(() => (cancelled = true));
        return new Promise(() => undefined);
      },
      Chat(call: StreamCall<string, string>) {
        call.onMessage((text) => {
          clock.advance(7);
          if (text === 'bad') call.end(new ShoalError('NOT_FOUND', 'no'));
          else call.write(text);
        });
        call.onEnd(() => call.end());
      },
    });
    const port = await server.listen('127.0.0.1:0');
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  });

  afterEach(async () => {
    client.close();
    const drained = server.drain(0);
    clock.advance(10_000);
    await drained;
  });

  const call = (text: string) =>
    client.makeUnaryRequest(Unary.path, Unary.requestSerialize, Unary.responseDeserialize, text, () => undefined);

  test('each method that has a handler is asked for once', () => {
    expect(asked.toSorted()).toEqual([Chat.path, Unary.path].toSorted());
  });

  test.each([
    ['fine', 'OK'],
    ['bad', 'INVALID_ARGUMENT'],
    ['broken', 'INTERNAL'],
  ])('a unary call that is %s: %s', async (text, code) => {
    call(text);
    await until(() => ends.length > 0);
    expect(ends).toEqual([[Unary.path, code, 5]]);
  });

  test('one that is cancelled', async () => {
    const running = call('never');
    await until(() => clock.now() > 1_000);
    running.cancel();
    await until(() => cancelled);
    expect(ends).toEqual([[Unary.path, 'CANCELLED', 5]]);
  });

  test('a stream is one call, with all of its messages', async () => {
    const open = () => {
      const stream = client.makeBidiStreamRequest(Chat.path, Chat.requestSerialize, Chat.responseDeserialize);
      stream.on('data', () => undefined);
      stream.on('error', () => undefined);
      return stream;
    };
    const fine = open();
    fine.write('a');
    fine.write('b');
    fine.end();
    await until(() => ends.length > 0);
    open().write('bad');
    await until(() => ends.length > 1);
    expect(ends).toEqual([
      [Chat.path, 'OK', 14],
      [Chat.path, 'NOT_FOUND', 7],
    ]);
  });
});
