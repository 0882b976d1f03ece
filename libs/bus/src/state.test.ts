import { type ShoalError, systemClock, systemRandom } from '@shoal/core';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { createHash, randomBytes } from 'node:crypto';
import { type NatsServer, findNatsServer, startNats } from '../../../test/support/nats';
import { eventually } from '../../../test/support/waiting';
import type { Bus } from './bus';
import { createLocalBus } from './local-bus';
import { createNatsBus } from './nats/nats-bus';

// What holds for the state of both buses. Over NATS `here` and `there` are two processes' worth of bus, in one process they are one.
const program = findNatsServer();
const implementations = program === undefined ? ['local'] : ['local', 'nats'];

describe.each(implementations)('the state of the %s bus', (implementation) => {
  let server: NatsServer | undefined;
  let here: Bus;
  let there: Bus;
  let open: string[];
  let round = 0;

  beforeAll(async () => {
    if (implementation === 'nats') server = await startNats(program!);
  });
  afterAll(() => server?.close());

  beforeEach(async () => {
    open = openNow();
    if (server === undefined) {
      here = there = createLocalBus();
      return;
    }
    const common = { url: server.url, clock: systemClock, random: systemRandom, prefix: `test-${++round}` };
    [here, there] = await Promise.all([
      createNatsBus({ ...common, name: 'here' }),
      createNatsBus({ ...common, name: 'there' }),
    ]);
  });
  afterEach(async () => {
    await Promise.all([here.close(), there.close()]);
    await assertNothingOpen(open);
  });

  test('what one writes another reads, with its revision', async () => {
    expect(await there.state.get('k/a')).toBeUndefined();
    const first = await here.state.put('k/a', { n: 1 });
    expect(await there.state.get('k/a')).toEqual({ value: { n: 1 }, revision: first });
    const second = await there.state.put('k/a', { n: 2 });
    expect(second).not.toBe(first);
    expect(await here.state.get('k/a')).toEqual({ value: { n: 2 }, revision: second });
    await here.state.delete('k/a');
    await here.state.delete('k/a');
    await here.state.delete('k/never');
    expect(await there.state.get('k/a')).toBeUndefined();
  });

  test('a key that is too long is refused, and costs nobody the connection', async () => {
    // Each byte of it takes three in a subject.
    const longest = '.'.repeat(512);
    const revision = await here.state.put(longest, { n: 1 });
    expect(await there.state.get(longest)).toEqual({ value: { n: 1 }, revision });
    for (const key of ['.'.repeat(513), 'x'.repeat(1e6)]) {
      await expect(here.state.get(key)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await expect(here.state.put(key, {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await expect(here.state.delete(key)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(await here.state.get(longest)).toEqual({ value: { n: 1 }, revision });
  });

  test('a write over a revision that no longer stands is ABORTED and changes nothing', async () => {
    const first = await here.state.put('k', { n: 1 }, 0);
    await expect(there.state.put('k', { n: 0 }, 0)).rejects.toMatchObject({ code: 'ABORTED' });
    const second = await there.state.put('k', { n: 2 }, first);
    await expect(here.state.put('k', { n: 0 }, first)).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(here.state.delete('k', first)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await here.state.get('k')).toEqual({ value: { n: 2 }, revision: second });
    await there.state.delete('k', second);
    await expect(here.state.put('k', { n: 0 }, second)).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(here.state.delete('k', second)).rejects.toMatchObject({ code: 'ABORTED' });
    await here.state.put('k', { n: 3 }, 0);
    expect(await there.state.get('k')).toMatchObject({ value: { n: 3 } });
  });

  test('of many who write over one revision one succeeds', async () => {
    const revision = await here.state.put('k', {});
    const writes = Array.from({ length: 20 }, (_, n) => (n % 2 ? here : there).state.put('k', { n }, revision));
    const done = await Promise.allSettled(writes);
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = done.findIndex(({ status }) => status === 'fulfilled');
    expect(await here.state.get('k')).toMatchObject({ value: { n: winner } });
  });

  test('a watch is told what stands, then each change, only under its prefix; after its end nothing', async () => {
    await there.state.put('k/é a.b', { n: 1 });
    await there.state.put('other', { n: 0 });
    const news: unknown[][] = [];
    const stop = here.state.watch('k/', (key, entry) => news.push([key, entry?.value]));
    await until(() => news.length === 1);
    await there.state.put('k/b', { n: 2 });
    await there.state.put('k/b', { n: 3 });
    await there.state.delete('k/b');
    await until(() => news.length === 4);
    stop();
    let last: unknown;
    here.state.watch('k/c', (_key, entry) => (last = entry?.value));
    await there.state.put('k/c', { n: 4 });
    await until(() => last !== undefined);
    expect(news).toEqual([
      ['k/é a.b', { n: 1 }],
      ['k/b', { n: 2 }],
      ['k/b', { n: 3 }],
      ['k/b', undefined],
    ]);
  });

  test('blobs go by their digest', async () => {
    const bytes = randomBytes(3_000_000);
    const digest = await here.blobs.put(bytes);
    expect(digest).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await here.blobs.put(bytes)).toBe(digest);
    expect(bytes.equals(await there.blobs.get(digest))).toBe(true);
    const empty = await there.blobs.put(Buffer.alloc(0));
    expect(await here.blobs.get(empty)).toHaveLength(0);
    expect((await here.blobs.list()).sort()).toEqual([digest, empty].sort());
    await there.blobs.delete(digest);
    await there.blobs.delete(digest);
    await expect(here.blobs.get(digest)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await here.blobs.list()).toEqual([empty]);
  });

  test('a closed bus has no state', async () => {
    await here.close();
    await expect(here.state.get('k')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(here.state.put('k', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

const describeWithNats = program === undefined ? describe.skip : describe;

describeWithNats('the state in NATS', () => {
  const common = () => ({ clock: systemClock, random: systemRandom });

  test('outlives its writers and the server; while the server is away it says so; a lost one is written again', async () => {
    const server = await startNats(program!);
    const writer = await createNatsBus({ url: server.url, name: 'writer', ...common() });
    await writer.state.put('k/stays', { n: 1 });
    await writer.state.put('k/goes', { n: 2 });
    await writer.state.delete('k/goes');
    await writer.close();

    const reader = await createNatsBus({ url: server.url, name: 'reader', ...common() });
    const news: unknown[][] = [];
    reader.state.watch('k/', (key, entry) => news.push([key, entry?.value]));
    await eventually('news', () => news.length === 1);
    await server.kill();
    await eventually('a refusal', () =>
      reader.state.put('k/after', { n: 3 }).then(
        () => false,
        ({ code, message }: ShoalError) => code === 'UNAVAILABLE' && /NATS is back/.test(message),
      ),
    );
    expect(news).toEqual([['k/stays', { n: 1 }]]);

    await server.start();
    await eventually('a write', () =>
      reader.state.put('k/after', { n: 3 }).then(
        () => true,
        () => false,
      ),
    );
    await eventually('news', () => news.length === 2);
    expect(news[1]).toEqual(['k/after', { n: 3 }]);

    await server.kill();
    server.forget();
    await server.start();
    const late = await createNatsBus({ url: server.url, name: 'late', ...common() });
    const found = new Map<string, unknown>();
    late.state.watch('k/', (key, entry) => found.set(key, entry?.value));
    await eventually('news', () => found.size === 2);
    expect(Object.fromEntries(found)).toEqual({ 'k/stays': { n: 1 }, 'k/after': { n: 3 } });
    expect(news.some(([, value]) => value === undefined)).toBe(false);
    await Promise.all([reader.close(), late.close()]);
    await server.close();
  });
});
