import { ShoalError, systemClock, systemRandom } from '@shoal/core';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { type NatsServer, findNatsServer, startNats } from '../../../test/support/nats';
import type { Bus } from './bus';
import { createLocalBus } from './local-bus';
import { createNatsBus } from './nats/nats-bus';

// What holds for both buses. Over NATS `here` and `there` are two processes' worth of bus, in one process they are one.
const program = findNatsServer();
const implementations = program === undefined ? ['local'] : ['local', 'nats'];

describe.each(implementations)('the %s bus', (implementation) => {
  let server: NatsServer | undefined;
  let here: Bus;
  let there: Bus;
  let errors: unknown[];
  let open: string[];
  let round = 0;

  beforeAll(async () => {
    if (implementation === 'nats') server = await startNats(program!);
  });
  afterAll(() => server?.close());

  beforeEach(async () => {
    open = openNow();
    errors = [];
    const onError = (thrown: unknown) => errors.push(thrown);
    if (server === undefined) {
      here = there = createLocalBus({ onError });
      return;
    }
    const common = { url: server.url, clock: systemClock, random: systemRandom, onError, prefix: `test-${++round}` };
    [here, there] = await Promise.all([
      createNatsBus({ ...common, name: 'here' }),
      createNatsBus({ ...common, name: 'there' }),
    ]);
  });
  afterEach(async () => {
    await Promise.all([here.close(), there.close()]);
    await assertNothingOpen(open);
  });

  /** What was announced by `there` and served so far is known `here`, and the other way round. */
  async function settle(): Promise<void> {
    for (const [from, to] of [
      [there, here],
      [here, there],
    ] as const) {
      let seen = false;
      const stop = to.watch('settle', (_key, value) => (seen ||= value !== undefined));
      from.announce('settle', {});
      await until(() => seen);
      stop();
      from.withdraw('settle');
    }
    await there.call('settle', null).catch(() => undefined);
    await here.call('settle', null).catch(() => undefined);
  }

  function watch(prefix: string): { news: unknown[][]; stop: () => void } {
    const news: unknown[][] = [];
    return { news, stop: here.watch(prefix, (key, value) => news.push([key, value])) };
  }

  describe('announcements', () => {
    test('a watch is told what stands, then each change, only under its prefix', async () => {
      there.announce('runners/a', { n: 1 });
      there.announce('runners/a', { n: 2 });
      there.announce('models/a', { n: 3 });
      await settle();
      const { news } = watch('runners/');
      there.announce('runners/b', { n: 4 });
      await settle();
      there.withdraw('runners/a');
      there.withdraw('runners/a');
      there.withdraw('runners/never');
      there.announce('models/b', { n: 5 });
      await settle();
      expect(news).toEqual([
        ['runners/a', { n: 2 }],
        ['runners/b', { n: 4 }],
        ['runners/a', undefined],
      ]);
    });

    test('order holds over keys and watches', async () => {
      const heard: string[] = [];
      here.watch('k/', (key) => heard.push(`all ${key}`));
      here.watch('k/b', (key) => heard.push(`b ${key}`));
      for (const key of ['k/a', 'k/b1', 'k/c', 'k/b2']) there.announce(key, {});
      await settle();
      expect(heard).toEqual(['all k/a', 'all k/b1', 'b k/b1', 'all k/c', 'all k/b2', 'b k/b2']);
    });

    test('a watch that has ended hears nothing', async () => {
      const { news, stop } = watch('k');
      stop();
      there.announce('k2', {});
      await settle();
      expect(news).toEqual([]);
    });

    test('a listener that throws is reported; the others hear the news', async () => {
      const bug = new Error('a bug in a listener');
      here.watch('k', () => {
        throw bug;
      });
      const { news } = watch('k');
      there.announce('k', {});
      await settle();
      expect(news).toHaveLength(1);
      expect(errors).toEqual([bug]);
    });

    test('keys and values of any kind arrive as they were', async () => {
      const values: [string, object][] = [
        ['odd/a b.c*>=%/é/', { text: 'é\u0000"', list: [1, null, { deep: true }], none: null }],
        ['odd/', {}],
        ['odd/large', { labels: Array.from({ length: 200_000 }, (_, i) => `label ${(i * 7919) % 1_000_003}`) }],
        ['odd/incompressible', { text: Array.from({ length: 400_000 }, () => systemRandom.next()).join('') }],
      ];
      const { news } = watch('odd/');
      for (const [key, value] of values) there.announce(key, value);
      await settle();
      expect(news).toEqual(values);
    });
  });

  describe('calls', () => {
    test('reach a server and bring its answer', async () => {
      there.serve<number, number>('double', (n) => Promise.resolve(n * 2));
      await settle();
      await expect(here.call<number, number>('double', 21, { timeoutMs: 1000 })).resolves.toBe(42);
    });

    test('are spread over the servers of a subject, each reaching one', async () => {
      const asked = [0, 0];
      const stops = [here, there].map((bus, i) => bus.serve('who', () => Promise.resolve(void asked[i]!++)));
      await settle();
      for (let i = 0; i < 40; i++) await here.call('who', null);
      expect(asked[0]! + asked[1]!).toBe(40);
      expect(Math.min(...asked)).toBeGreaterThan(0);
      stops[0]!();
      stops[0]!();
      await settle();
      for (let i = 0; i < 10; i++) await here.call('who', null);
      expect(asked[0]! + asked[1]!).toBe(50);
      stops[1]!();
      await settle();
      await expect(here.call('who', null)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: 'nobody serves who',
      });
    });

    test('fail as the handler fails: its ShoalError as it is, anything else INTERNAL', async () => {
      there.serve('mine', () => Promise.reject(new ShoalError('NOT_FOUND', 'no such model')));
      there.serve('bug', () => {
        throw new TypeError('secret');
      });
      await settle();
      const mine = here.call('mine', {});
      await expect(mine).rejects.toBeInstanceOf(ShoalError);
      await expect(mine).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'no such model' });
      await expect(here.call('bug', {})).rejects.toMatchObject({ code: 'INTERNAL', message: 'internal error' });
    });

    test('time out', async () => {
      there.serve('slow', () => new Promise(() => undefined));
      await settle();
      await expect(here.call('slow', {}, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    });

    test('end with their signal', async () => {
      there.serve('slow', () => new Promise(() => undefined));
      await settle();
      const abort = new AbortController();
      const asked = here.call('slow', {}, { signal: abort.signal });
      abort.abort();
      await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
      await expect(here.call('slow', {}, { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    });
  });

  test('a closed bus fails its calls and tells nothing more', async () => {
    there.serve('slow', () => new Promise(() => undefined));
    await settle();
    const heard: string[] = [];
    here.watch('late', (key) => heard.push(key));
    const failed = here.call('slow', {}).catch((thrown: unknown) => thrown);
    await here.close();
    expect(await failed).toMatchObject({ code: 'UNAVAILABLE' });
    await expect(here.call('slow', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    here.announce('late', {});
    here.watch('', (key) => heard.push(key));
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([]);
  });
});
