import { seededRandom } from '@shoal/core';
import { type Fate, World, fate } from '../test/world';
import { DrainRate } from './drain-rate';
import { type QueuePolicy, queuePolicy } from './policy';
import type { Ticket } from './ticket';

const limited: Partial<QueuePolicy> = { dynamic: true, maxBatchSize: 8, maxWaitMs: 2000 };

/** A batch of b rows takes 10 + b ms: at most 8 rows in 18 ms, 444 a second. */
function worldOf(policy: Partial<QueuePolicy> = limited, runners = 1): World {
  const world = World.withQueue(policy, runners, 1);
  world.run = ({ rows }) => ({ ms: 10 + rows });
  return world;
}

const capacity = 8 / 18;

/** Requests that come at random, so many in a millisecond, until the time has passed. */
function arrive(world: World, perMs: number, forMs: number, seed: number, facts = {}): Ticket<Fate>[] {
  const random = seededRandom(seed);
  const tickets: Ticket<Fate>[] = [];
  const end = world.now + forMs;
  while (world.now < end) {
    tickets.push(world.offer('a', facts));
    world.until(world.now - Math.log(1 - random.next()) / perMs);
  }
  return tickets;
}

function shed(tickets: readonly Ticket<Fate>[]): number {
  return tickets.filter(({ tag }) => tag.ends[0]?.rejection?.reason === 'overload').length;
}

describe('ordinary load is never refused', () => {
  test.each([0.5, 0.9, 0.98])('requests at random, %f of what can be done', (part) => {
    const world = worldOf();
    expect(shed(arrive(world, part * capacity, 60_000, 1))).toBe(0);
  });

  test('a burst of what is done in the time that may be waited', () => {
    const world = worldOf();
    arrive(world, 0.5 * capacity, 5000, 2);
    expect(shed(world.offers('burst', Math.floor(1900 * capacity)))).toBe(0);
  });

  test('clients that each wait for their answer, as many as are served in that time', () => {
    const world = worldOf();
    let open = 0;
    let refused = 0;
    const clients = Math.floor(1900 * capacity);
    world.witness.ending = () => (open = 0);
    for (let time = 0; time < 20_000; time += 5) {
      world.until(time);
      open = [...world.batches.slice(-1)].reduce((sum, { members }) => sum + members.length, 0);
      const waiting = world.scheduler.queue('m/1@a')!.plain.waiting.size;
      refused += shed(world.offers('c', Math.max(0, clients - waiting - open)));
    }
    expect(refused).toBe(0);
  });

  test('a queue of which no pace is known yet, however long', () => {
    const world = worldOf();
    expect(shed(world.offers('a', 10_000))).toBe(0);
  });
});

test.each([1, 2, 3])(
  'three times as much as can be done: as much is done as ever, and nobody waits much longer (seed %i)',
  (seed) => {
    const world = worldOf();
    arrive(world, 3 * capacity, 5_000, seed);
    const from = world.now;
    const tickets = arrive(world, 3 * capacity, 30_000, seed + 10);
    world.until(Infinity);
    const waits = tickets.flatMap(({ tag, acceptedAt }) =>
      tag.ends[0]?.settlement === 'answered' ? [tag.ends[0].at - acceptedAt] : [],
    );
    expect(Math.max(...waits)).toBeLessThan(1.25 * 2000);
    expect(waits.length).toBeGreaterThan(0.9 * 30_000 * capacity);
    expect(shed(tickets)).toBeGreaterThan(0.6 * tickets.length);
    expect(from).toBeGreaterThan(0);
  },
);

test('once the flood is over, all are taken again as soon as a part has been worked off', () => {
  const world = worldOf();
  arrive(world, 3 * capacity, 20_000, 4);
  world.until(world.now + 200);
  expect(shed(arrive(world, 0.8 * capacity, 20_000, 5))).toBe(0);
});

test('when runners become slower, less may wait', () => {
  const world = worldOf();
  arrive(world, 2 * capacity, 20_000, 6);
  world.run = ({ rows }) => ({ ms: 4 * (10 + rows) });
  arrive(world, 2 * capacity, 20_000, 7);
  const { plain } = world.scheduler.queue('m/1@a')!;
  expect(plain.rows).toBeLessThan(1.25 * 2000 * (capacity / 4));
});

test('when a runner comes, what was measured without it counts no more', () => {
  const world = worldOf();
  arrive(world, 3 * capacity, 20_000, 11);
  const before = world.scheduler.queue('m/1@a')!.plain.rows;
  for (const id of ['r1', 'r2', 'r3']) world.scheduler.addRunner(world.now, id, 'm/1@a', 1);
  expect(shed(world.offers('more', 2 * before))).toBe(0);
});

test('a refusal says what is wrong, and when to try again: not all at once, nor before there is room', () => {
  const world = worldOf();
  arrive(world, 3 * capacity, 20_000, 8);
  const refused = world.offers('a', 64).filter(({ tag }) => tag.ends.length > 0);
  expect(refused.length).toBeGreaterThan(32);
  expect(fate(refused[0]!)).toMatch(
    /^RESOURCE_EXHAUSTED the model is overloaded: a request would wait for 2\.\d s, the server lets them wait for 2\.0 s at most; try again later$/,
  );
  const hints = refused.map(({ tag }) => tag.ends[0]!.rejection!.retryMs!);
  expect(Math.min(...hints)).toBeGreaterThan(90);
  expect(Math.max(...hints)).toBeLessThan(1000);
  expect(new Set(hints.map(Math.round)).size).toBeGreaterThan(8);
});

test('of a queue that is full of requests, the same is told where the pace is known', () => {
  const bounds = { requests: 400, rows: 1e6, bytes: 1e9 };
  const world = worldOf({ ...limited, maxWaitMs: Infinity, bounds });
  const hint = (tickets: readonly Ticket<Fate>[]) => tickets.at(-1)!.tag.ends[0]!.rejection;
  expect(hint(world.offers('a', 500))).toEqual(expect.not.objectContaining({ retryMs: expect.anything() as number }));
  arrive(world, 3 * capacity, 20_000, 12);
  const { reason, retryMs } = hint(world.offers('b', 500))!;
  expect(reason).toBe('full');
  // A tenth of 400 rows.
  expect(retryMs).toBeGreaterThan((0.45 * 40) / capacity);
  expect(retryMs).toBeLessThan((1.55 * 40) / capacity);
});

test('nobody is sent away for longer than five minutes, however slow it is', () => {
  const world = worldOf({ ...limited, bounds: { ...queuePolicy().bounds, requests: 1_000_000, rows: 1_000_000 } });
  world.run = () => ({ ms: 3_600_000 });
  world.offers('a', 100_000);
  world.until(100 * 3_600_000);
  const hints = world.offers('b', 64).map(({ tag }) => tag.ends[0]?.rejection?.retryMs ?? 0);
  expect(Math.min(...hints)).toBeGreaterThan(60_000);
  expect(Math.max(...hints)).toBeLessThan(300_000);
});

test('the last priority level is refused first, the first one last', () => {
  const world = worldOf({ ...limited, priorityLevels: 2 });
  arrive(world, 2 * capacity, 10_000, 9, { priority: 2 });
  const { plain } = world.scheduler.queue('m/1@a')!;
  expect(plain.rows).toBeLessThan(1.25 * 1000 * capacity);
  expect(shed([world.offer('first', { priority: 1 })])).toBe(0);
});

test('what was accepted before is taken back, and requests in the background have bounds of their own', () => {
  const world = worldOf();
  arrive(world, 3 * capacity, 20_000, 10);
  world.offers('fill', 64);
  expect(fate(world.offer('again', { ageMs: 5 }))).toBe('open');
  expect(fate(world.offer('background', { background: true }))).toBe('open');
  expect(fate(world.offer('new'))).toMatch(/^RESOURCE_EXHAUSTED/);
});

test('the pace is measured only while full batches wait, from batch to batch, and by many of them', () => {
  const drain = new DrainRate();
  // Began before anything waited.
  drain.done(10_000, 1, true);
  for (let i = 1; i <= 15; i += 1) drain.done(10_000 + 100 * i, 2, true);
  expect(drain.rowsPerMs).toBe(0);
  drain.done(11_600, 2, true);
  expect(drain.rowsPerMs).toBe(0.02);
  drain.done(11_700, 2, false);
  drain.done(60_000, 1, true);
  for (let i = 1; i <= 20; i += 1) drain.done(60_000 + 50 * i, 2, true);
  expect(drain.rowsPerMs).toBe(0.03);
});

test('one request that takes long says nothing of those behind it', () => {
  const world = worldOf();
  world.run = ({ members }) => ({ ms: members[0]!.tag.name === 'long' ? 5000 : 18 });
  world.offer('long');
  const tickets = world.offers('a', 800);
  world.until(5100);
  world.offer('long');
  expect(shed([...tickets, ...world.offers('b', 700)])).toBe(0);
});
