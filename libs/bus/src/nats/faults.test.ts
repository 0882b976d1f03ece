import { type ShoalError, systemClock, systemRandom } from '@shoal/core';
import { assertNothingOpen, openNow } from '@shoal/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { NatsServer, findNatsServer, freePort, startNats } from '../../../../test/support/nats';
import { eventually, sleep } from '../../../../test/support/waiting';
import type { Bus } from '../bus';
import { createNatsBus } from './nats-bus';

// NATS and processes that come, go and stand still.
const program = findNatsServer();
const describeWithNats = program === undefined ? describe.skip : describe;

describeWithNats('the NATS bus', () => {
  let server: NatsServer;
  let open: string[];
  let warnings: string[];
  const buses: Bus[] = [];
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    open = openNow();
    warnings = [];
    server = await startNats(program!);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await server.close();
    await assertNothingOpen(open);
  });

  async function startBus(name: string): Promise<Bus> {
    const logger = { info: () => undefined, warn: (message: string) => void warnings.push(message) };
    const bus = await createNatsBus({ url: server.url, clock: systemClock, random: systemRandom, name, logger });
    buses.push(bus);
    return bus;
  }

  function watch(bus: Bus, prefix = ''): unknown[][] {
    const news: unknown[][] = [];
    bus.watch(prefix, (key, value) => news.push([key, value]));
    return news;
  }

  /** A process that announces `other/1` and serves `other`: `hang` never answers, others get its pid. */
  function startOther(): ChildProcess {
    const script = `
      const { createNatsBus } = require('@shoal/bus');
      const { systemClock: clock, systemRandom: random } = require('@shoal/core');
      createNatsBus({ url: process.argv[1], clock, random, name: 'other' }).then((bus) => {
        bus.serve('other', (ask) => (ask === 'hang' ? new Promise(() => undefined) : Promise.resolve(process.pid)));
        bus.announce('other/1', { pid: process.pid });
      });`;
    const cwd = path.resolve(__dirname, '../..');
    const child = spawn(process.execPath, ['-e', script, server.url], { stdio: 'inherit', cwd });
    children.push(child);
    return child;
  }

  test('two watch: kill -9 of nats-server withdraws nothing; changes meanwhile come once, when it is back', async () => {
    const [a, b, c] = await Promise.all([startBus('a'), startBus('b'), startBus('c')]);
    a.announce('k/stays', { n: 1 });
    a.announce('k/goes', { n: 2 });
    const heard = [watch(b), watch(c)];
    await eventually('both hear', () => heard.every((news) => news.length === 2));
    for (let round = 0; round < 3; round++) {
      await server.kill();
      a.announce(`k/${round}`, { round });
      a.announce(`k/${round}`, { round, again: true });
      if (round === 0) a.withdraw('k/goes');
      await sleep(400);
      await server.start();
      await eventually('news of the outage', () =>
        heard.every(
          (news) => news.some(([key]) => key === `k/${round}`) && news.some(([, value]) => value === undefined),
        ),
      );
    }
    await sleep(6500); // Longer than it takes to be given up: whoever had lost a connection for good would be by now.
    const expected = [
      ['k/stays', { n: 1 }],
      ['k/goes', { n: 2 }],
      ['k/goes', undefined],
      ...[0, 1, 2].map((round) => [`k/${round}`, { round, again: true }]),
    ];
    const byKey = (news: unknown[][]) => news.map((entry) => JSON.stringify(entry)).sort();
    for (const news of heard) expect(byKey(news)).toEqual(byKey(expected));
    // A newcomer finds all that stands, though the server had forgotten it.
    const late = watch(await startBus('late'));
    await eventually('the newcomer hears', () => late.length >= 4);
    expect(byKey(late)).toEqual(byKey(expected.filter(([key]) => key !== 'k/goes')));
  });

  test('without NATS at the start it starts all the same, and says so once; then all find each other', async () => {
    await server.kill();
    const [a, b] = await Promise.all([startBus('a'), startBus('b')]);
    const own = watch(a);
    const others = watch(b);
    a.announce('k', { n: 1 });
    a.serve('s', () => Promise.resolve('served'));
    await eventually('own announcements are known', () => own.length === 1);
    const early = b.call('s', null);
    await server.start();
    // The one may be connected before the other.
    const first = await early.catch((thrown: unknown) => (thrown as ShoalError).code);
    expect(['served', 'UNAVAILABLE']).toContain(first);
    await eventually('the call is answered', async () => (await b.call('s', null)) === 'served');
    await eventually('others hear', () => others.length === 1);
    expect(warnings.length).toBe(2);
  });

  test('a call without NATS fails with a definite word', async () => {
    await server.kill();
    const a = await startBus('a');
    await expect(a.call('s', null)).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'NATS cannot be reached' });
    await expect(a.call('s', null, { timeoutMs: 10 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  test('a process that is killed is gone in five seconds, and so are its calls', async () => {
    const a = await startBus('a');
    const news = watch(a, 'other/');
    const other = startOther();
    await eventually('it is there', () => news.length === 1);
    const call = a.call('other', 'hang').catch((thrown: unknown) => thrown);
    await a.call('other', null); // so the first one is taken too
    other.kill('SIGKILL');
    await eventually('it is gone', () => news.length === 2, 7000);
    expect(news[1]).toEqual(['other/1', undefined]);
    expect(await call).toMatchObject({ code: 'UNAVAILABLE' });
    // Nor does a newcomer find it.
    const late = watch(await startBus('late'), 'other/');
    await sleep(100);
    expect(late).toEqual([]);
  });

  test('a process that stands still is gone, and comes back when it goes on', async () => {
    const a = await startBus('a');
    const news = watch(a, 'other/');
    const other = startOther();
    await eventually('it is there', () => news.length === 1);
    other.kill('SIGSTOP');
    await eventually('it is gone', () => news.length === 2);
    await expect(a.call('other', null)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    other.kill('SIGCONT');
    await eventually('it is back', () => news.length === 3);
    expect(news[2]).toEqual(news[0]);
    expect(await a.call('other', null)).toBe(other.pid);
  });

  test('a nats-server that stands still for a while withdraws nothing', async () => {
    const [a, b] = await Promise.all([startBus('a'), startBus('b')]);
    const news = watch(b);
    a.announce('k', { n: 1 });
    await eventually('heard', () => news.length === 1);
    server.signal('SIGSTOP');
    await sleep(7000);
    a.announce('k2', { n: 2 });
    server.signal('SIGCONT');
    await eventually('news', () => news.length === 2);
    await sleep(6500);
    expect(news).toEqual([
      ['k', { n: 1 }],
      ['k2', { n: 2 }],
    ]);
  });

  test('of two who announce one key the later is believed, then the one who is left', async () => {
    const [a, b, c] = await Promise.all([startBus('a'), startBus('b'), startBus('c')]);
    const news = watch(c);
    a.announce('k', { by: 'a' });
    await eventually('a', () => news.length === 1);
    b.announce('k', { by: 'b' });
    await eventually('b', () => news.length === 2);
    await b.close();
    await eventually('a again', () => news.length === 3);
    a.withdraw('k');
    await eventually('nobody', () => news.length === 4);
    expect(news.map(([, value]) => (value as { by: string } | undefined)?.by)).toEqual(['a', 'b', 'a', undefined]);
  });

  test('what cannot be carried is refused with a sentence', async () => {
    const a = await startBus('a');
    const noise = Array.from({ length: 2_400_000 }, () => systemRandom.next()).join('');
    expect(() => a.announce('k', { noise })).toThrow(/^k takes \d+ bytes on the bus, which carries at most 16777216$/);
    await expect(a.call('s', { noise })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await expect(startBusAt('http://h:1')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  function startBusAt(url: string): Promise<Bus> {
    return createNatsBus({ url, clock: systemClock, random: systemRandom, name: 'x' });
  }

  test('of several servers any will do; a password is used', async () => {
    const guarded = new NatsServer(program!, await freePort(), ['--user', 'u', '--pass', 'p@ss']);
    try {
      await guarded.start();
      const nobody = `127.0.0.1:${await freePort()}`;
      const a = await startBusAt(`nats://u:p%40ss@${nobody},nats://u:p%40ss@127.0.0.1:${guarded.port}`);
      buses.push(a);
      a.serve('s', () => Promise.resolve(1));
      await expect(a.call('s', null, { timeoutMs: 5000 })).resolves.toBe(1);
    } finally {
      await guarded.close();
    }
  });
});
