import assert from 'node:assert';
import { type Socket, connect } from 'node:net';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import { clientPreface, flags, frameTypes } from '../../../../http2/src/frames/constants';
import { frame, request, settings } from '../../../../http2/src/testing/frames';
import { echoService } from '../../testing/echo-service';
import { framed, rawCall, rawClient } from '../../testing/raw-client';
import { NativeServer } from './native-server';
import { OutputGuard, type Sending } from './output-guard';

const mib = 1024 * 1024;

describe('who is ended', () => {
  const clock = new FakeClock();

  /** A guard of 100 bytes over connections with [waiting, taken]. */
  function guarded(...connections: [number, number][]) {
    const ended: number[] = [];
    const all = connections.map(([waitingBytes, takenBytes], i) => ({
      waitingBytes,
      takenBytes,
      destroy: () => void ended.push(i),
    }));
    const guard = new OutputGuard(clock, 100, new Set<Sending>(all));
    guard.start();
    return { all, ended, guard };
  }

  test('nobody, while there is room', () => {
    const { ended, guard } = guarded([50, 0], [50, 0]);
    for (let i = 0; i < 3; i += 1) clock.advance(1000);
    expect(ended).toEqual([]);
    guard.stop();
    expect(clock.pending).toBe(0);
  });

  test('those who take least, until the others have room; never those who read quickly', () => {
    const { all, ended, guard } = guarded([60, 0], [60, 0], [60, 0], [90, 0], [0, 0]);
    [5, 1, 3, 2 * mib, 0].forEach((bytes, i) => (all[i]!.takenBytes = bytes));
    clock.advance(1000);
    expect(ended).toEqual([1, 2, 0]);
    guard.stop();
  });

  test('what was taken long ago does not count', () => {
    const { ended, guard } = guarded([60, 9 * mib], [60, 8 * mib]);
    clock.advance(1000);
    expect(ended).toEqual([]);
    clock.advance(1000);
    expect(ended).toEqual([0]);
    guard.stop();
  });
});

test('clients that read no answers are ended when these take too much memory; others are served', async () => {
  const openBefore = openNow();
  const clock = new FakeClock();
  const server = new NativeServer({ clock, maxWaitingBytes: 10 * mib });
  server.addService(echoService, { Unary: () => 'x'.repeat(mib) });
  const port = await server.listen('127.0.0.1:0');
  const client = rawClient(port);
  await until(() => client.state === 'open');
  const hoarders = await Promise.all(Array.from({ length: 4 }, () => hoarder(port)));
  await until(() => server.waitingBytes >= 4 * 4 * mib);
  expect(hoarders.filter(({ destroyed }) => destroyed)).toEqual([]);
  clock.advance(1000);
  await until(() => hoarders.filter(({ destroyed }) => destroyed).length === 2);
  expect(server.waitingBytes).toBeLessThanOrEqual(10 * mib);
  const answer = rawCall(client, echoService.Unary.path);
  answer.stream.write(framed('x'), true);
  await until(() => answer.over);
  expect(Buffer.concat(answer.body).length).toBe(5 + mib);
  for (const socket of hoarders) socket.destroy();
  client.destroy();
  await server.drain(0);
  assert.equal(clock.pending, 0);
  await assertNothingOpen(openBefore);
});

/** Asks for four answers of a MiB each and grants no window for them. */
async function hoarder(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(Buffer.concat([clientPreface, settings([4, 0]), frame(frameTypes.SETTINGS, flags.ACK, 0)]));
  for (let id = 1; id < 8; id += 2) {
    socket.write(request(id, false, echoService.Unary.path, 'content-type', 'application/grpc', 'te', 'trailers'));
    socket.write(frame(frameTypes.DATA, flags.END_STREAM, id, framed('x')));
  }
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}
