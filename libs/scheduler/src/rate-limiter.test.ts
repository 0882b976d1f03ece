import { seededRandom } from '@shoal/core';
import { type Fate, World, fate } from '../test/world';
import { queuePolicy } from './policy';
import type { RateLimits, ResourceNeed, RunnerPlace } from './rate-limiter';
import type { Ticket } from './ticket';

const byExecutions: RateLimits = { turn: 'executions', available: () => undefined, perDevice: 0 };
const byTime: RateLimits = { turn: 'time', available: () => undefined, perDevice: 1 };

const need = (name: string, count = 1, global = false): ResourceNeed => ({ name, count, global });

interface Model {
  readonly runners: readonly Partial<RunnerPlace>[];
  readonly ms?: number;
  readonly maxBatchSize?: number;
}

/** A world of models a, b, …, each with its own queue. */
function worldOf(limits: RateLimits | undefined, models: Readonly<Record<string, Model>>): World {
  const world = new World(undefined, limits);
  for (const [name, { runners, maxBatchSize = 1 }] of Object.entries(models)) {
    world.scheduler.addQueue(name, queuePolicy({ dynamic: true, maxBatchSize }));
    runners.forEach((place, i) =>
      world.scheduler.addRunner(0, `${name}${i}`, name, 2, { device: 'd', needs: [], priority: 1, ...place }),
    );
  }
  world.run = ({ queue }) => ({ ms: models[queue.key]?.ms ?? 10 });
  return world;
}

/** Most batches at once, by queue and in all, and what each queue ran. */
function watched(world: World, until: number, keys: readonly string[]) {
  let most = 0;
  for (let time = world.now; time <= until; time += 1) {
    world.until(time);
    most = Math.max(
      most,
      keys.reduce((sum, key) => sum + (world.scheduler.queue(key)?.inFlight ?? 0), 0),
    );
  }
  const ran = Object.fromEntries(
    keys.map((key) => [key, world.batches.filter(({ queue }) => queue.key === key).length]),
  );
  return { most, ran };
}

function flood(world: World, key: string, count: number): Ticket<Fate>[] {
  return Array.from({ length: count }, (_, i) => world.offer(`${key}${i}`, {}, key));
}

test('instances that need the same resource run one at a time; of what is not stated there is as much as the neediest needs', () => {
  const world = worldOf(byExecutions, {
    a: { runners: [{ needs: [need('R')] }, { needs: [need('R')] }] },
    b: { runners: [{ needs: [need('R')] }] },
  });
  flood(world, 'a', 20);
  flood(world, 'b', 20);
  expect(watched(world, 399, ['a', 'b'])).toEqual({ most: 1, ran: { a: 20, b: 20 } });
  world.until(Infinity);
  expect(world.quiet).toBe(true);
});

test('as many run at once as there are resources; those of another device are others, global ones are the same everywhere', () => {
  const runners = (device: string, global: boolean) => [{ device, needs: [need('R', 2, global)] }];
  const limits = { ...byExecutions, available: () => 4 };
  const two = worldOf(limits, {
    a: { runners: [...runners('d', false), ...runners('d', false), ...runners('d', false)] },
  });
  flood(two, 'a', 30);
  expect(watched(two, 200, ['a']).most).toBe(2);
  const devices = worldOf(
    { ...limits, available: () => 2 },
    { a: { runners: [...runners('d', false), ...runners('e', false)] } },
  );
  flood(devices, 'a', 30);
  expect(watched(devices, 200, ['a']).most).toBe(2);
  const everywhere = worldOf(
    { ...limits, available: () => 2 },
    { a: { runners: [...runners('d', true), ...runners('e', true)] } },
  );
  flood(everywhere, 'a', 30);
  expect(watched(everywhere, 200, ['a']).most).toBe(1);
});

test('as in Triton, priority 1 has twice the turns of 2 where resources are scarce, and as many where they are plentiful', () => {
  const models = {
    first: { runners: [{ needs: [need('R')], priority: 1 }] },
    second: { runners: [{ needs: [need('R')], priority: 2 }] },
  };
  const scarce = worldOf(byExecutions, models);
  for (const key of ['first', 'second']) flood(scarce, key, 300);
  const { ran } = watched(scarce, 1500, ['first', 'second']);
  expect(ran['first']! / ran['second']!).toBeGreaterThan(1.8);
  expect(ran['first']! / ran['second']!).toBeLessThan(2.2);
  const plenty = worldOf({ ...byExecutions, available: () => 2 }, models);
  for (const key of ['first', 'second']) flood(plenty, key, 300);
  expect(watched(plenty, 1500, ['first', 'second']).ran).toEqual({ first: 151, second: 151 });
});

test('one that needs more than is free is not passed for ever by those that need less', () => {
  const world = worldOf(
    { ...byExecutions, available: () => 2 },
    {
      large: { runners: [{ needs: [need('R', 2)] }] },
      small: { runners: [{ needs: [need('R')] }, { needs: [need('R')] }, { needs: [need('R')] }] },
    },
  );
  // Small ones end at different times, so that two are never free by themselves.
  let turn = 0;
  world.run = () => ({ ms: (turn += 1) % 2 === 0 ? 10 : 15 });
  flood(world, 'small', 400);
  world.until(50);
  const [waiting] = flood(world, 'large', 1);
  world.until(100);
  expect(fate(waiting!)).toBe('answered');
});

test('an instance that asks for more than there is gets by with all that there is', () => {
  const world = worldOf({ ...byExecutions, available: () => 2 }, { a: { runners: [{ needs: [need('R', 9)] }] } });
  const tickets = flood(world, 'a', 3);
  world.until(Infinity);
  expect(tickets.map(fate)).toEqual(['answered', 'answered', 'answered']);
});

test('a flood of long batches of one model leaves another half of the device’s time, whatever the requests', () => {
  const world = worldOf(byTime, { long: { runners: [{}, {}], ms: 50 }, short: { runners: [{}], ms: 5 } });
  flood(world, 'long', 1000);
  flood(world, 'short', 1000);
  const { most, ran } = watched(world, 5000, ['long', 'short']);
  expect(most).toBe(1);
  expect(ran['long']! * 50).toBeGreaterThan(2400);
  expect(ran['short']! * 5).toBeGreaterThan(2400);
});

test('beside a flood, one that comes now and then waits for what runs, and no longer', () => {
  const world = worldOf(byTime, { flood: { runners: [{}, {}, {}], ms: 20 }, seldom: { runners: [{}], ms: 5 } });
  flood(world, 'flood', 2000);
  const random = seededRandom(7);
  const waits: number[] = [];
  for (let i = 0; i < 100; i += 1) {
    world.until(world.now + Math.floor(200 * random.next()));
    const ticket = world.offer('seldom', {}, 'seldom');
    const from = world.now;
    world.until(from + 30);
    waits.push((ticket.tag.ends[0]?.at ?? Infinity) - from);
  }
  expect(Math.max(...waits)).toBeLessThanOrEqual(25);
});

test('turns are not saved up: who was away has no more than its share when it comes back', () => {
  const world = worldOf(byTime, { steady: { runners: [{}] }, away: { runners: [{}] } });
  flood(world, 'steady', 1000);
  flood(world, 'away', 1);
  world.until(3000);
  flood(world, 'away', 300);
  const before = world.batches.length;
  world.until(4000);
  const since = world.batches.slice(before).filter(({ queue }) => queue.key === 'steady').length;
  expect(since).toBeGreaterThan(45);
});

test('a model that has a device for itself runs on all its instances at once', () => {
  const world = worldOf(byTime, { a: { runners: [{}, {}, {}] }, b: { runners: [{ device: 'e' }] } });
  flood(world, 'a', 30);
  flood(world, 'b', 30);
  world.until(5);
  expect(['a', 'b'].map((key) => world.scheduler.queue(key)!.inFlight)).toEqual([3, 1]);
});

test('what is lost, retired, cancelled or times out gives its turn back', () => {
  const world = worldOf(byTime, { a: { runners: [{}, {}] }, b: { runners: [{}] } });
  world.run = () => ({ ms: 1000 });
  flood(world, 'a', 1);
  const [b] = flood(world, 'b', 1);
  expect(world.batches).toHaveLength(1);
  world.scheduler.runnerLost(world.now, 'a0');
  expect(world.batches.map(({ queue }) => queue.key)).toEqual(['a', 'b']);
  world.scheduler.cancel(world.now, b!);
  const [next, late] = [world.offer('next', {}, 'a'), world.offer('late', { timeoutMs: 500 }, 'a')];
  world.until(600);
  expect(fate(late)).toMatch(/^DEADLINE_EXCEEDED/);
  world.until(Infinity);
  expect(fate(next)).toBe('answered');
  expect(world.quiet).toBe(true);
});

test('a batch that waits for company holds no turn', () => {
  const world = worldOf(byTime, { a: { runners: [{}] }, b: { runners: [{}] } });
  world.scheduler.addQueue('patient', queuePolicy({ dynamic: true, maxBatchSize: 2, maxDelayMs: 1000 }));
  world.scheduler.addRunner(0, 'p0', 'patient', 2, { device: 'd', needs: [], priority: 1 });
  world.offer('p', {}, 'patient');
  flood(world, 'a', 5);
  world.until(100);
  expect(world.batches).toHaveLength(5);
  world.offer('q', {}, 'patient');
  world.until(Infinity);
  expect(world.composition.at(-1)).toBe('p q');
  world.offer('alone', {}, 'patient');
  const from = world.now;
  world.until(Infinity);
  expect(world.batches.at(-1)!.dispatchedAt).toBe(from + 1000);
});

test('without limits places mean nothing', () => {
  const world = worldOf(undefined, {
    a: { runners: [{ needs: [need('R')] }] },
    b: { runners: [{ needs: [need('R')] }] },
  });
  flood(world, 'a', 1);
  flood(world, 'b', 1);
  expect(world.batches).toHaveLength(2);
});
