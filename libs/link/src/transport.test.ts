import assert from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GrpcCarrier, defaultCarrier, grpcCarriers } from '@shoal/rpc';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import { wholeBytes } from './bytes';
import type { Link, LinkListener, LinkTransport } from './link';
import type { Hello, LinkMessage } from './messages';
import { createTransport } from './transport';

const router: Hello = { kind: 'hello', role: 'router', id: 'router-1' };
const runner: Hello = { kind: 'hello', role: 'runner', id: 'runner-1' };
const refused = (offerId: number): LinkMessage => ({ kind: 'refused', offerId });

let openBefore: string[];
let directory: string;
let clock: FakeClock;
let errors: string[];
let transport: LinkTransport;

function transportOn(carrier: GrpcCarrier): LinkTransport {
  return createTransport({
    clock,
    carrier,
    logger: { error: (_text, fields) => errors.push(fields?.['error'] ?? '') },
  });
}

beforeEach(() => {
  openBefore = openNow();
  directory = mkdtempSync(join(tmpdir(), 'link-'));
  clock = new FakeClock();
  errors = [];
  transport = transportOn(defaultCarrier);
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await assertNothingOpen(openBefore);
  assert.equal(clock.pending, 0);
});

const unix = () => `unix:${join(directory, 's')}`;
const tcp = () => '127.0.0.1:0';

describe.each<[string, GrpcCarrier, () => string]>([
  ['in process', defaultCarrier, () => 'inproc:place'],
  ...grpcCarriers.flatMap((carrier): [string, GrpcCarrier, () => string][] => [
    [`over a unix socket on ${carrier}`, carrier, unix],
    [`over TCP on ${carrier}`, carrier, tcp],
  ]),
])('%s', (_name, carrier, address) => {
  let listener: LinkListener;
  let near: Link;
  let far: Link;

  beforeEach(async () => {
    transport = transportOn(carrier);
    const accepted: Link[] = [];
    listener = await transport.listen(address(), runner, (link) => accepted.push(link));
    near = await transport.connect(listener.address, router);
    await until(() => accepted.length === 1);
    far = accepted[0] as Link;
  });

  afterEach(async () => {
    await Promise.all([near.close(), listener.close()]);
  });

  /** All that arrives at a link, in order; the end as 'closed'. */
  function record(link: Link): (LinkMessage | 'closed')[] {
    const heard: (LinkMessage | 'closed')[] = [];
    link.onMessage((message) => heard.push(message));
    link.onClose(() => heard.push('closed'));
    return heard;
  }

  test('each knows the other by its hello', () => {
    expect(near.peer).toEqual(runner);
    expect(far.peer).toEqual(router);
  });

  test('messages arrive both ways, in order, large ones among small ones', async () => {
    const large = Buffer.alloc(3_000_000, 7);
    const sent = Array.from({ length: 500 }, (_, i): LinkMessage => {
      if (i % 100 !== 50) return refused(i);
      const input = { index: 0, shape: [3_000_000], bytes: large };
      return { kind: 'data', batchId: 1, member: 0, offerId: i, requestId: 'ü', inputs: [input], outputs: [] };
    });
    const heardFar = record(far);
    const heardNear = record(near);
    for (const message of sent) {
      near.send(message);
      far.send(message);
    }
    await until(() => heardFar.length === 500 && heardNear.length === 500);
    // node:assert compares large buffers as bytes; jest walks them.
    assert.deepEqual(heardFar, sent);
    assert.deepEqual(heardNear, sent);
    await until(() => near.bufferedBytes === 0 && far.bufferedBytes === 0);
    expect(errors).toEqual([]);
  });

  test('tensors that flow both ways at once, more than any socket holds, do not wait for each other', async () => {
    const size = 602_112;
    const count = 32;
    far.onMessage((message) => {
      assert(message.kind === 'data');
      far.send({ kind: 'answer', offerId: message.offerId, response: message.inputs[0]!.bytes, computeUs: 0 });
    });
    const answers = record(near);
    for (let offerId = 1; offerId <= count; offerId += 1) {
      const bytes = Buffer.alloc(size, offerId);
      const inputs = [{ index: 0, shape: [1, size], bytes }];
      near.send({ kind: 'data', batchId: 1, member: offerId, offerId, requestId: '', inputs, outputs: [] });
    }
    await until(() => answers.length === count, 'all answers');
    const right = answers.filter((answer, i) => {
      assert(answer !== 'closed' && answer.kind === 'answer');
      return answer.offerId === i + 1 && Buffer.alloc(size, i + 1).equals(wholeBytes(answer.response));
    });
    expect(right.length).toBe(count);
  });

  test('nothing is delivered from within a call, nor before there is a receiver', async () => {
    near.send(refused(1));
    await until(() => near.bufferedBytes === 0);
    let inside = false;
    const heard: number[] = [];
    far.onMessage((message) => {
      assert.equal(inside, false);
      if (message.kind !== 'refused') return;
      heard.push(message.offerId);
      inside = true;
      far.send(refused(message.offerId + 1));
      inside = false;
    });
    near.onMessage((message) => {
      assert.equal(inside, false);
      if (message.kind !== 'refused') return;
      heard.push(message.offerId);
      if (message.offerId === 6) return;
      inside = true;
      near.send(refused(message.offerId + 1));
      inside = false;
    });
    assert.deepEqual(heard, []);
    await until(() => heard.length === 6);
    expect(heard).toEqual([1, 2, 3, 4, 5, 6]);
    expect(errors).toEqual([]);
  });

  test('a receiver that throws is reported and gets the next message all the same', async () => {
    const heard: LinkMessage[] = [];
    far.onMessage((message) => {
      heard.push(message);
      if (heard.length === 1) throw new Error('a bug in the receiver');
    });
    near.send(refused(1));
    near.send(refused(2));
    await until(() => heard.length === 2);
    expect(errors).toEqual([expect.stringContaining('a bug in the receiver')]);
  });

  test.each(['the opening', 'the accepting'])(
    '%s side closes: what it sent arrives, then both hear of the end once',
    async (side) => {
      const [closing, other] = side === 'the opening' ? [near, far] : [far, near];
      const heardThere = record(other);
      const heardHere = record(closing);
      for (let i = 0; i < 100; i += 1) closing.send(refused(i));
      other.send(refused(1000));
      const closed = closing.close();
      closing.send(refused(101));
      await closed;
      await until(() => heardThere.at(-1) === 'closed');
      expect(heardThere).toEqual([...Array.from({ length: 100 }, (_, i) => refused(i)), 'closed']);
      expect(heardHere.filter((heard) => heard === 'closed')).toHaveLength(1);
      expect(heardHere.at(-1)).toBe('closed');
      other.send(refused(102));
      await closing.close();
      await other.close();
      expect(heardHere.at(-1)).toBe('closed');
      expect(other.bufferedBytes).toBe(0);
    },
  );

  test('one who asks after the end hears of it at once', async () => {
    near.onMessage(() => undefined);
    await near.close();
    let told = 0;
    for (const link of [near, far]) link.onClose(() => (told += 1));
    await until(() => told === 2);
    expect(told).toBe(2);
  });

  test('a listener that closes ends its links, flushing them', async () => {
    const heard = record(near);
    record(far);
    for (let i = 0; i < 100; i += 1) far.send(refused(i));
    await listener.close();
    await until(() => heard.at(-1) === 'closed');
    expect(heard).toHaveLength(101);
    await expect(transport.connect(listener.address, router)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('an address is taken once', async () => {
    const again = transport.listen(listener.address, runner, () => undefined);
    await expect(again).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const accepted: Link[] = [];
    await listener.close();
    const next = await transport.listen(listener.address, runner, (link) => accepted.push(link));
    const link = await transport.connect(next.address, router);
    await until(() => accepted.length === 1);
    await link.close();
    await next.close();
  });

  test('an abort before the link is UNAVAILABLE', async () => {
    const connecting = transport.connect(listener.address, router, { signal: AbortSignal.abort() });
    await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

test.each(['inproc:nobody', '127.0.0.1:1'])('nobody at %s is UNAVAILABLE', async (address) => {
  await expect(transport.connect(address, router)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a unix path that is too long is refused, to listen and to connect', async () => {
  const address = `unix:/tmp/${'x'.repeat(120)}`;
  const wanted = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('1 to 107 bytes') as string };
  await expect(transport.listen(address, runner, () => undefined)).rejects.toMatchObject(wanted);
  await expect(transport.connect(address, router)).rejects.toMatchObject(wanted);
});
