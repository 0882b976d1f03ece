import assert from 'node:assert';
import { type AddressInfo, type Socket, connect as connectSocket, createServer as createNetServer } from 'node:net';
import { type ClientStream, type RpcClient, createClient, grpcCarriers, loadService } from '@shoal/rpc';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import { decodeFrame } from '../codec/decode-frame';
import { FrameEncoder } from '../codec/frame-encoder';
import type { Link, LinkListener } from '../link';
import type { Hello, LinkMessage } from '../messages';
import { connectGrpc, listenGrpc } from './carrier';
import { Connections } from './connections';
import { linkService } from './frame-streams';

const router: Hello = { kind: 'hello', role: 'router', id: 'router-1' };
const runner: Hello = { kind: 'hello', role: 'runner', id: 'runner-1' };
const refused = (offerId: number): LinkMessage => ({ kind: 'refused', offerId });

describe.each(grpcCarriers)('on %s', (carrier) => {
  let openBefore: string[];
  let clock: FakeClock;
  let listener: LinkListener;
  let accepted: Link[];
  let client: RpcClient;
  let raw: ClientStream<Buffer, Buffer>;
  let frames: Buffer[];
  let end: { code?: string } | undefined;

  const options = () => ({
    carrier,
    clock,
    onError: (thrown: unknown) => {
      throw thrown;
    },
  });

  beforeEach(async () => {
    openBefore = openNow();
    clock = new FakeClock();
    accepted = [];
    listener = await listenGrpc('127.0.0.1:0', runner, (link) => accepted.push(link), options());
    client = createClient(listener.address, { carrier, passthrough: true });
    raw = client.stream(linkService.Connect);
    frames = [];
    end = undefined;
    raw.onMessage((frame) => frames.push(frame));
    raw.onEnd((error) => (end = { ...(error && { code: error.code }) }));
  });

  afterEach(async () => {
    raw.cancel();
    client.close();
    const closed = listener.close();
    // Whoever has not said goodbye by then is cut.
    await until(() => clock.pending > 0 || end !== undefined);
    for (let i = 0; i < 10; i += 1) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    await assertNothingOpen(openBefore);
    assert.equal(clock.pending, 0);
  });

  function frameOf(...messages: LinkMessage[]): Buffer {
    const encoder = new FrameEncoder();
    for (const message of messages) encoder.add(message);
    return encoder.take();
  }

  async function acceptedLink(): Promise<Link> {
    await until(() => accepted.length > 0);
    return accepted[0] as Link;
  }

  test('messages of one turn share a frame, the hello has its own', async () => {
    raw.write(frameOf(router));
    const link = await acceptedLink();
    for (let i = 0; i < 100; i += 1) link.send(refused(i));
    // Promises that are settled already belong to the same turn.
    await Promise.resolve();
    link.send(refused(100));
    await until(() => frames.length >= 2);
    expect(frames.map((bytes) => decodeFrame(bytes).length)).toEqual([1, 101]);
  });

  test('a large message travels alone and does not make others wait; a full frame leaves at once', async () => {
    raw.write(frameOf(router));
    const link = await acceptedLink();
    const answer = (offerId: number, size: number): LinkMessage => ({
      kind: 'answer',
      offerId,
      response: Buffer.alloc(size),
      computeUs: 0,
    });
    link.send(answer(1, 10));
    link.send(answer(2, 2_000_000));
    link.send(answer(3, 10));
    link.send(answer(4, 600_000));
    link.send(answer(5, 600_000));
    await until(() => frames.length === 5);
    expect(
      frames.map((bytes) => decodeFrame(bytes).map((message) => message.kind === 'answer' && message.offerId)),
    ).toEqual([[false], [1], [2], [3, 4], [5]]);
  });

  test('a message that no frame can hold is refused, and the link goes on', async () => {
    raw.write(frameOf(router));
    const link = await acceptedLink();
    const response = new Array<Uint8Array>(2048).fill(Buffer.alloc(2 ** 20));
    expect(() => link.send({ kind: 'answer', offerId: 1, response, computeUs: 0 })).toThrow(
      /exceeds the limit of 2147483647 bytes/,
    );
    link.send(refused(1));
    await until(() => frames.length === 2);
    expect(decodeFrame(frames[1] as Buffer)).toEqual([refused(1)]);
  });

  test.each([
    ['bytes that are no frame', () => Buffer.from('no protobuf at all')],
    ['a second hello', () => frameOf(refused(1), router)],
    ['a goodbye of the wrong side', () => Buffer.alloc(0)],
  ])('%s closes the link', async (_name, bytes) => {
    raw.write(frameOf(router));
    const link = await acceptedLink();
    const heard: unknown[] = [];
    link.onMessage((message) => heard.push(message));
    link.onClose(() => heard.push('closed'));
    raw.write(bytes());
    await until(() => end !== undefined && heard.includes('closed'));
    expect(end).toEqual({ code: 'DATA_LOSS' });
    expect(heard.at(-1)).toBe('closed');
  });

  test('whoever does not begin with a hello is turned away', async () => {
    raw.write(frameOf(refused(1)));
    await until(() => end !== undefined);
    expect(end).toEqual({ code: 'DATA_LOSS' });
    expect(accepted).toEqual([]);
  });

  test('whoever says nothing is turned away in time', async () => {
    await until(() => frames.length > 0);
    clock.advance(5000);
    await until(() => end?.code === 'DEADLINE_EXCEEDED');
    expect(accepted).toEqual([]);
  });

  test('a close is agreed on: goodbye, half-close, OK', async () => {
    raw.write(frameOf(router));
    const link = await acceptedLink();
    link.send(refused(1));
    const closed = link.close();
    await until(() => frames.at(-1)?.length === 0);
    raw.end();
    await closed;
    await until(() => end !== undefined);
    expect(end).toEqual({});
  });

  test('one who never says goodbye is cut after a while', async () => {
    raw.write(frameOf(router));
    const link = await acceptedLink();
    const closed = link.close();
    await until(() => frames.at(-1)?.length === 0);
    clock.advance(2000);
    await closed;
    await until(() => end !== undefined);
    expect(end?.code).toBeDefined();
  });

  test('until somebody receives, the sender is held back within bounds; then all arrives', async () => {
    const link = await connectGrpc(listener.address, router, {}, options(), new Connections(clock, carrier));
    const far = await acceptedLink();
    const block = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 64; i += 1) link.send({ kind: 'answer', offerId: i, response: block, computeUs: 0 });
    for (let turn = 0; turn < 300; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    // What the far end took: its stream window, and a few messages on their way to the receiver.
    expect(link.bufferedBytes).toBeGreaterThan(24 * 1024 * 1024);
    const heard: LinkMessage[] = [];
    far.onMessage((message) => heard.push(message));
    await until(() => heard.length === 64);
    await until(() => link.bufferedBytes === 0);
    await link.close();
  });

  test('the other process dies: the link closes', async () => {
    raw.write(frameOf(router));
    const link = await acceptedLink();
    const closed = new Promise<void>((resolve) => link.onClose(resolve));
    raw.cancel();
    await closed;
    link.send(refused(1));
    expect(link.bufferedBytes).toBe(0);
  });

  describe('a place where nobody answers', () => {
    const sockets: Socket[] = [];
    const silent = createNetServer((socket) => void sockets.push(socket));
    let address: string;

    beforeEach(async () => {
      await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
      address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    });

    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    });

    test('is given up on after the timeout', async () => {
      const connecting = connectGrpc(address, router, { timeoutMs: 300 }, options(), new Connections(clock, carrier));
      const failed = connecting.catch((thrown: unknown) => thrown);
      const wanted = { code: 'UNAVAILABLE', message: `no link to ${address}: no answer within 300 ms` };
      await until(() => sockets.length === 1);
      clock.advance(300);
      expect(await failed).toMatchObject(wanted);
    });

    test('is given up on when the signal aborts', async () => {
      const abort = new AbortController();
      const connecting = connectGrpc(
        address,
        router,
        { signal: abort.signal },
        options(),
        new Connections(clock, carrier),
      );
      const failed = connecting.catch((thrown: unknown) => thrown);
      const wanted = { code: 'UNAVAILABLE', message: `no link to ${address}: cancelled` };
      await until(() => sockets.length === 1);
      abort.abort();
      expect(await failed).toMatchObject(wanted);
    });
  });

  test('links to the same address share a connection, which ends with the last of them', async () => {
    const sockets = new Set<Socket>();
    const target = Number(listener.address.split(':')[1]);
    const proxy = createNetServer((socket) => {
      sockets.add(socket);
      const onward = connectSocket(target, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        onward.destroy();
      });
      onward.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const connections = new Connections(clock, carrier);
    const [first, second] = await Promise.all([
      connectGrpc(address, router, {}, options(), connections),
      connectGrpc(address, { ...router, role: 'batching' }, {}, options(), connections),
    ]);
    expect(sockets.size).toBe(1);
    await first.close();
    second.send(refused(7));
    const heard: LinkMessage[] = [];
    accepted.find(({ peer }) => peer.role === 'batching')?.onMessage((message) => heard.push(message));
    await until(() => heard.length === 1);
    expect(heard).toEqual([refused(7)]);
    await second.close();
    await until(() => sockets.size === 0);
    await new Promise((resolve) => proxy.close(resolve));
  });
});

test('the service is the one that link.proto defines', () => {
  const { path, originalName, requestStream, responseStream } = linkService.Connect;
  expect(loadService('shoal/link/v1/link.proto', 'shoal.link.v1.Link')).toMatchObject({
    Connect: { path, originalName, requestStream, responseStream },
  });
});
