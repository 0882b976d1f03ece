import assert from 'node:assert';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grpcCarriers } from '@shoal/rpc';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import { wholeBytes } from './bytes';
import type { Link, LinkListener } from './link';
import type { Hello, LinkMessage } from './messages';
import { createTransport } from './transport';

const router: Hello = { kind: 'hello', role: 'router', id: 'router-1' };
const runner: Hello = { kind: 'hello', role: 'runner', id: 'runner-1' };
const batching: Hello = { kind: 'hello', role: 'batching', id: 'batching-1' };

describe.each(grpcCarriers)('on %s', (carrier) => {
  let openBefore: string[];
  let filesBefore: number;
  let directory: string;
  let clock: FakeClock;
  let listener: LinkListener;
  let accepted: Link[];

  const openFiles = () => readdirSync('/proc/self/fd').length;

  beforeEach(() => {
    openBefore = openNow();
    filesBefore = openFiles();
    directory = mkdtempSync(join(tmpdir(), 'link-'));
    clock = new FakeClock();
    accepted = [];
  });

  afterEach(async () => {
    await listener.close();
    rmSync(directory, { recursive: true });
    await assertNothingOpen(openBefore);
    await until(() => openFiles() === filesBefore);
    assert.equal(clock.pending, 0);
  });

  async function linked(address: string, opening: Hello, bytes?: number): Promise<[near: Link, far: Link]> {
    const transport = createTransport({ clock, carrier, ...(bytes !== undefined && { sharedMemoryBytes: bytes }) });
    listener = await transport.listen(address, runner, (link) => accepted.push(link));
    const near = await transport.connect(listener.address, opening);
    await until(() => accepted.length === 1);
    return [near, accepted[0] as Link];
  }

  /** Sends a large answer each way; gives back how each arrived. */
  async function exchange(near: Link, far: Link): Promise<('shared' | 'in the frame')[]> {
    const heard: LinkMessage[] = [];
    for (const link of [near, far]) link.onMessage((message) => heard.push(message));
    // Two turns and a bit: an offer, its answer, and the other's of each.
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
    const response = Buffer.alloc(1_000_000, 9);
    near.send({ kind: 'answer', offerId: 1, response, computeUs: 0 });
    far.send({ kind: 'answer', offerId: 2, response, computeUs: 0 });
    await until(() => heard.length === 2);
    return heard.map((message) => {
      assert(message.kind === 'answer');
      const shared = !(message.response instanceof Uint8Array);
      assert(response.equals(wholeBytes(message.response)));
      return shared ? 'shared' : 'in the frame';
    });
  }

  test('a router and a runner on one machine share memory, which has no name', async () => {
    const namesBefore = readdirSync('/dev/shm');
    const [near, far] = await linked(`unix:${join(directory, 's')}`, router);
    await until(() => near.sharesMemory && far.sharesMemory);
    expect(await exchange(near, far)).toEqual(['shared', 'shared']);
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith('shoal') && !namesBefore.includes(name))).toEqual(
      [],
    );
    await near.close();
    expect(near.sharesMemory).toBe(false);
  });

  test('two routers share memory with a runner, each its own; what one leaves unread costs the other nothing', async () => {
    const address = `unix:${join(directory, 's')}`;
    const [first, farFirst] = await linked(address, router, 4_000_000);
    const second = await createTransport({ clock, carrier, sharedMemoryBytes: 4_000_000 }).connect(address, {
      ...router,
      id: 'router-2',
    });
    await until(() => first.sharesMemory && second.sharesMemory);
    const held: LinkMessage[] = [];
    farFirst.onMessage((message) => held.push(message));
    // More than there is room for: what is over travels in frames.
    for (let i = 0; i < 6; i += 1)
      first.send({ kind: 'answer', offerId: i, response: Buffer.alloc(1_000_000, i), computeUs: 0 });
    second.send({ kind: 'answer', offerId: 7, response: Buffer.alloc(1_000_000, 7), computeUs: 0 });
    await until(() => held.length === 6);
    const shared = held.map((message) => message.kind === 'answer' && !(message.response instanceof Uint8Array));
    expect(shared).toEqual([true, true, true, false, false, false]);
    const farSecond = accepted[1] as Link;
    const heard: LinkMessage[] = [];
    farSecond.onMessage((message) => heard.push(message));
    await until(() => heard.length === 1);
    for (const message of [...held, ...heard]) {
      assert(message.kind === 'answer');
      assert(Buffer.alloc(1_000_000, message.offerId).equals(wholeBytes(message.response)));
    }
    await Promise.all([first.close(), second.close()]);
  });

  test.each([
    ['over TCP', () => linked('127.0.0.1:0', router)],
    ['in process', () => linked('inproc:place', router)],
    ['when there is to be none', () => linked(`unix:${join(directory, 's')}`, router, 0)],
    ['with batching, which never sees a tensor', () => linked(`unix:${join(directory, 's')}`, batching)],
  ])('there is none %s', async (_name, joined) => {
    const [near, far] = await joined();
    expect(await exchange(near, far)).toEqual(['in the frame', 'in the frame']);
    expect([near.sharesMemory, far.sharesMemory]).toEqual([false, false]);
    await near.close();
  });

  test('what arrived before the end is still read after it; what nobody received is let go of', async () => {
    const [near, far] = await linked(`unix:${join(directory, 's')}`, router);
    await until(() => near.sharesMemory && far.sharesMemory);
    const heard: LinkMessage[] = [];
    near.onMessage((message) => heard.push(message));
    far.onClose(() => undefined);
    for (const link of [near, far])
      link.send({ kind: 'answer', offerId: 1, response: Buffer.alloc(500_000, 3), computeUs: 0 });
    await until(() => heard.length === 1);
    await near.close();
    const [message] = heard;
    assert(message?.kind === 'answer');
    expect(Buffer.alloc(500_000, 3).equals(wholeBytes(message.response))).toBe(true);
  });
});
