import assert from 'node:assert';
import { ShoalError } from '@shoal/core';
import { FakeClock } from '@shoal/testing';
import type { Bus } from './bus';
import { createLocalBus } from './local-bus';

let clock: FakeClock;
let errors: unknown[];
let bus: Bus;

beforeEach(() => {
  clock = new FakeClock();
  errors = [];
  bus = createLocalBus({ clock, onError: (thrown) => errors.push(thrown) });
});

afterEach(async () => {
  await bus.close();
  assert.equal(clock.pending, 0);
});

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('announcements', () => {
  /** What a watch of `prefix` is told, as [key, value]. */
  function watch(prefix: string): { news: unknown[][]; stop: () => void } {
    const news: unknown[][] = [];
    return { news, stop: bus.watch(prefix, (key, value) => news.push([key, value])) };
  }

  test('a watch is told what stands, then each change, only under its prefix', async () => {
    bus.announce('runners/a', { n: 1 });
    bus.announce('runners/a', { n: 2 });
    bus.announce('models/a', { n: 3 });
    const { news } = watch('runners/');
    bus.announce('runners/b', { n: 4 });
    await settle();
    bus.withdraw('runners/a');
    bus.withdraw('runners/a');
    bus.withdraw('runners/never');
    bus.announce('models/b', { n: 5 });
    await settle();
    expect(news).toEqual([
      ['runners/a', { n: 2 }],
      ['runners/b', { n: 4 }],
      ['runners/a', undefined],
    ]);
  });

  test('listeners are never called from within a call of theirs', async () => {
    const order: string[] = [];
    bus.announce('k', { n: 0 });
    bus.watch<{ n: number }>('k', (_key, value) => {
      order.push(`hear ${value?.n}`);
      if (value?.n !== 0) return;
      bus.announce('k', { n: 1 });
      order.push('announced');
    });
    order.push('watching');
    await settle();
    expect(order).toEqual(['watching', 'hear 0', 'announced', 'hear 1']);
  });

  test('order holds over keys and watches', async () => {
    const heard: string[] = [];
    bus.watch('', (key) => heard.push(`all ${key}`));
    bus.watch('b', (key) => heard.push(`b ${key}`));
    for (const key of ['a', 'b1', 'c', 'b2']) bus.announce(key, {});
    await settle();
    expect(heard).toEqual(['all a', 'all b1', 'b b1', 'all c', 'all b2', 'b b2']);
  });

  test('a watch that has ended hears nothing, not even what was on its way', async () => {
    bus.announce('k', {});
    const { news, stop } = watch('k');
    stop();
    bus.announce('k2', {});
    await settle();
    expect(news).toEqual([]);
  });

  test('a listener that throws is reported; the others hear the news', async () => {
    const bug = new Error('a bug in a listener');
    bus.watch('k', () => {
      throw bug;
    });
    const { news } = watch('k');
    bus.announce('k', {});
    await settle();
    expect(news).toHaveLength(1);
    expect(errors).toEqual([bug]);
  });

  test('values pass by reference', async () => {
    const value = Object.freeze({ n: 1 });
    const { news } = watch('k');
    bus.announce('k', value);
    await settle();
    expect(news[0]?.[1]).toBe(value);
  });
});

describe('calls', () => {
  test('reach a server, later, and bring its answer', async () => {
    const order: string[] = [];
    bus.serve<number, number>('double', async (n) => {
      order.push('asked');
      return Promise.resolve(n * 2);
    });
    const answer = bus.call<number, number>('double', 21, { timeoutMs: 1000 });
    order.push('called');
    await expect(answer).resolves.toBe(42);
    expect(order).toEqual(['called', 'asked']);
  });

  test('are spread over the servers of a subject', async () => {
    const stops = ['a', 'b'].map((name) => bus.serve('who', () => Promise.resolve(name)));
    const ask = () => bus.call<null, string>('who', null);
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['a', 'b', 'a', 'b']);
    stops[0]?.();
    stops[0]?.();
    expect([await ask(), await ask()]).toEqual(['b', 'b']);
    stops[1]?.();
    await expect(ask()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'nobody serves who' });
  });

  test('fail as the handler fails: its ShoalError as it is, anything else INTERNAL', async () => {
    const mine = new ShoalError('NOT_FOUND', 'no such model');
    bus.serve('mine', () => Promise.reject(mine));
    bus.serve('bug', () => {
      throw new TypeError('secret');
    });
    await expect(bus.call('mine', {})).rejects.toBe(mine);
    await expect(bus.call('bug', {})).rejects.toMatchObject({ code: 'INTERNAL', message: 'internal error' });
  });

  test('time out on the clock; a late answer goes nowhere', async () => {
    let answer: (n: number) => void = () => undefined;
    bus.serve('slow', () => new Promise<number>((resolve) => (answer = resolve)));
    const asked = bus.call('slow', {}, { timeoutMs: 100 });
    const failed = asked.catch((thrown: unknown) => thrown);
    await settle();
    clock.advance(99);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await failed).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    answer(1);
    await settle();
  });

  test('end with their signal', async () => {
    bus.serve('slow', () => new Promise<number>(() => undefined));
    const abort = new AbortController();
    const asked = bus.call('slow', {}, { timeoutMs: 100, signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(bus.call('slow', {}, { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

test('a closed bus fails its calls and tells nothing more', async () => {
  const heard: string[] = [];
  bus.watch('', (key) => heard.push(key));
  bus.serve('slow', () => new Promise<number>(() => undefined));
  const failed = bus.call('slow', {}, { timeoutMs: 100 }).catch((thrown: unknown) => thrown);
  bus.announce('on its way', {});
  await bus.close();
  expect(await failed).toMatchObject({ code: 'UNAVAILABLE' });
  await expect(bus.call('slow', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  bus.announce('late', {});
  bus.watch('', (key) => heard.push(key));
  await settle();
  expect(heard).toEqual([]);
});
