import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import { EventEmitter } from 'node:events';
import { type ServerHttp2Session, connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import type { StreamCall } from '../server';
import { echoService } from '../testing/echo-service';
import { hastyCalls } from '../testing/hasty-calls';
import { createGrpcJsServer as createServer } from './create-server';
import { endWhenDead } from './dead-session';

const { Chat } = echoService;
let openBefore: string[];
beforeEach(() => (openBefore = openNow()));
afterEach(() => assertNothingOpen(openBefore));

test('a connection that Node gave up for its many cancelled calls ends, with its calls; others stay', async () => {
  const clock = new FakeClock();
  const server = createServer({ clock });
  const running = new Set<string>();
  server.addService(echoService, {
    Chat(call: StreamCall<string, string>) {
      const who = call.header('x-who') ?? '';
      running.add(who);
      call.onCancel(() => running.delete(who));
    },
  });
  const port = await server.listen('127.0.0.1:0');
  const healthy = connect(`http://127.0.0.1:${port}`);
  const headers = { ':method': 'POST', ':path': Chat.path, 'content-type': 'application/grpc', te: 'trailers' };
  healthy.request({ ...headers, 'x-who': 'healthy' }).on('error', () => undefined);
  const hasty = connectTcp(port, '127.0.0.1').resume();
  hasty.write(hastyCalls(Chat.path, 'hasty'));
  await until(() => running.has('healthy') && running.has('hasty'));
  // Node reads as far as it will.
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  clock.advance(10_000);
  // Its answer comes after the one to the ping.
  await new Promise((resolve) => healthy.ping(resolve));
  expect([...running].toSorted()).toEqual(['hasty', 'healthy']);
  clock.advance(61_000);
  await until(() => !running.has('hasty'));
  expect([...running]).toEqual(['healthy']);
  healthy.destroy();
  hasty.destroy();
  await until(() => running.size === 0);
  await server.drain(0);
});

test('a connection that is closing is not asked', () => {
  const clock = new FakeClock();
  const session = Object.assign(new EventEmitter(), {
    destroyed: true,
    ping: () => {
      throw new Error('ERR_HTTP2_INVALID_SESSION');
    },
  });
  endWhenDead(session as unknown as ServerHttp2Session, clock);
  session.emit('stream');
  expect(clock.pending).toBe(1);
  clock.advance(10_000);
  expect(clock.pending).toBe(0);
});
