import { seededRandom } from '@shoal/core';
import { type Fate, World, fate, onlyQueue } from '../test/world';
import type { QueuePolicy } from './policy';
import type { Ticket } from './ticket';

const planned: Partial<QueuePolicy> = { dynamic: true, maxBatchSize: 32, planDeadlines: true };

/** A world in which a batch of b rows takes α + β·b, which it has learnt already. */
function taught(policy: Partial<QueuePolicy>, alphaMs: number, betaMs: number, runners = 1): World {
  const world = World.withQueue(policy, runners, 1);
  world.run = ({ rows }) => ({ ms: alphaMs + betaMs * rows });
  for (let i = 0; i < 400; i += 1) {
    world.offer('lesson', { rows: 1 + (i % 8), bytes: 64 * (1 + (i % 8)) });
    world.until(world.now + 1 + alphaMs + betaMs * (1 + (i % 8)));
  }
  world.until(world.now + alphaMs + 16 * betaMs);
  world.batches.splice(0);
  return world;
}

function ends(ticket: Ticket<Fate>): string[] {
  return ticket.tag.ends.map(({ at, rejection }) => `${at} ${rejection?.reason ?? 'answered'}`);
}

describe('early drop', () => {
  test('what cannot be done in time even alone and at once fails at once; what can be, is', () => {
    const world = taught(planned, 20, 1);
    const now = world.now;
    const hopeless = world.offer('hopeless', { timeoutMs: 20 });
    world.until(now + 1);
    expect(ends(hopeless)).toEqual([`${now} late`]);
    expect(fate(hopeless)).toMatch(/^DEADLINE_EXCEEDED the deadline leaves less time/);
    const fine = world.offer('fine', { timeoutMs: 22 });
    world.until(now + 100);
    expect(fate(fine)).toBe('answered');
    expect(world.composition).toEqual(['fine']);
  });

  test('one that waits fails as soon as it is too late, not at its deadline', () => {
    const world = taught(planned, 20, 1);
    const now = world.now;
    world.run = () => ({ ms: 500 });
    world.offer('blocker');
    const waiting = world.offer('waiting', { timeoutMs: 100 });
    world.until(now + 400);
    expect(waiting.tag.ends[0]?.at).toBeCloseTo(now + 79, 0);
    expect(waiting.tag.ends[0]?.rejection?.reason).toBe('late');
  });

  test('nothing is dropped by what was seen long ago: one is tried, and what it shows counts', () => {
    const world = taught(planned, 20, 1);
    // The machine is fast now, and nobody has noticed.
    world.run = () => ({ ms: 2 });
    world.until(world.now + 1_100);
    const tried = world.offer('tried', { timeoutMs: 10 });
    world.until(world.now + 50);
    expect(fate(tried)).toBe('answered');
    const next = world.offer('next', { timeoutMs: 10 });
    world.until(world.now + 50);
    expect(fate(next)).toBe('answered');
  });

  test('fast for once is not fast for ever', () => {
    const world = taught(planned, 20, 1);
    world.run = () => ({ ms: 2 });
    world.offer('once');
    world.until(world.now + 50);
    world.run = () => ({ ms: 21 });
    world.offer('again');
    world.until(world.now + 50);
    const next = world.offer('next', { timeoutMs: 10 });
    world.until(world.now + 1);
    expect(next.tag.ends[0]?.rejection?.reason).toBe('late');
    expect(world.composition).toEqual(['once', 'again']);
  });

  test('under steady refusals one a second is tried', () => {
    const world = taught(planned, 20, 1);
    const begin = world.now;
    const tickets: Ticket<Fate>[] = [];
    for (let i = 0; i < 1000; i += 1) {
      tickets.push(world.offer(`a${i}`, { timeoutMs: 15 }));
      world.until(world.now + 10);
    }
    const seconds = (world.now - begin) / 1000;
    expect(world.batches.length).toBeGreaterThan(0.9 * seconds - 1);
    expect(world.batches.length).toBeLessThan(2 * seconds + 1);
    expect(tickets.filter(({ tag }) => tag.ends[0]?.rejection?.reason === 'late').length).toBeGreaterThan(900);
  });

  test('off, nothing is too late before its deadline', () => {
    const world = taught({ ...planned, planDeadlines: false }, 20, 1);
    world.offer('hopeless', { timeoutMs: 5 });
    expect(world.composition).toEqual(['hopeless']);
  });

  test('a model that does not batch drops by what its one size takes', () => {
    const world = World.withQueue({ planDeadlines: true }, 1, 1);
    for (let i = 0; i < 200; i += 1) {
      world.offer('lesson');
      world.until(world.now + 10);
    }
    world.until(world.now + 10);
    world.offer('blocker');
    const late = world.offer('late', { timeoutMs: 19 });
    const fine = world.offer('fine', { timeoutMs: 21 });
    world.until(world.now + 100);
    expect([late, fine].map(({ tag }) => tag.ends[0]?.rejection?.reason)).toEqual(['late', undefined]);
  });

  test.each([1, 2, 3, 4, 5, 6])('what is dropped had less time left than a run takes (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const [alphaMs, betaMs] = [1 + 30 * random.next(), 0.1 + 3 * random.next()];
    const world = World.withQueue(planned, 1 + Math.floor(3 * random.next()), 2);
    world.run = ({ rows }) => ({ ms: (alphaMs + betaMs * rows) * (0.7 + 0.6 * random.next()) });
    const tickets: [Ticket<Fate>, number][] = [];
    for (let i = 0; i < 4000; i += 1) {
      const timeoutMs = random.next() < 0.3 ? 0 : 0.5 + 4 * alphaMs * random.next();
      tickets.push([world.offer(`a${i}`, { rows: 1 + Math.floor(2 * random.next()), timeoutMs }), timeoutMs]);
      world.until(world.now + 2 * alphaMs * random.next());
    }
    world.until(Infinity);
    let dropped = 0;
    for (const [ticket] of tickets) {
      const [end] = ticket.tag.ends;
      if (end?.rejection?.reason !== 'late') continue;
      dropped += 1;
      // The middle of the true times: it would have made it in far less than half of all tries.
      expect(ticket.deadline - end.at).toBeLessThan(0.9 * (alphaMs + betaMs * ticket.rows));
    }
    expect(dropped).toBeGreaterThan(50);
  });
});

describe('the size of a batch', () => {
  test('the knee: no larger than pays', () => {
    // η/(1-η)·α/β = 9 at 0.9.
    const world = taught({ ...planned, batchEfficiency: 0.9 }, 10, 10);
    world.run = () => ({ ms: 200 });
    world.offer('blocker');
    world.offers('a', 32);
    world.until(world.now + 3000);
    expect(world.sizes).toEqual([1, 9, 9, 9, 5]);
    expect(world.batches[1]?.reason).toBe('knee');
  });

  test.each([
    ['a delay', { maxDelayMs: 5 }],
    ['preferred sizes', { preferredSizes: [16, 32] }],
    ['all of it wanted', { batchEfficiency: 1 }],
  ])('the config knows better: %s', (_, parts) => {
    const world = taught({ ...planned, batchEfficiency: 0.9, ...parts }, 10, 10);
    world.run = () => ({ ms: 200 });
    world.offer('blocker');
    world.until(world.now + 6);
    world.offers('a', 32);
    world.until(world.now + 3000);
    expect(world.sizes).toEqual([1, 32]);
  });

  test('the earliest deadline: as many as are done in time, the others next', () => {
    const world = taught(planned, 10, 5);
    const now = world.now;
    world.run = ({ rows }) => ({ ms: 10 + 5 * rows });
    world.offer('blocker');
    const hurried = world.offer('hurried', { timeoutMs: 15 + 31 });
    const patient = world.offers('a', 10, { timeoutMs: 5000 });
    world.until(now + 5000);
    // 31 ms are left when the blocker ends: four rows take 30.
    expect(world.sizes).toEqual([1, 4, 7]);
    expect(world.batches[1]?.reason).toBe('deadline');
    expect([hurried, ...patient].map(fate)).toEqual(Array.from({ length: 11 }, () => 'answered'));
  });

  test('nobody in a hurry, no limit', () => {
    const world = taught(planned, 10, 5);
    world.offer('blocker');
    world.offers('a', 20, { timeoutMs: 5000 });
    world.until(world.now + 5000);
    expect(world.sizes).toEqual([1, 20]);
  });

  test('a runner’s first batches teach nothing', () => {
    const world = World.withQueue(planned, 1, 1);
    world.run = ({ rows }) => ({ ms: world.batches.length <= 3 ? 5000 : 4 + rows });
    for (let i = 0; i < 43; i += 1) {
      world.offer('lesson', { rows: 1 + (i % 8), bytes: 64 * (1 + (i % 8)) });
      world.until(world.now + 5000);
    }
    const [curve] = world.scheduler.queue(onlyQueue)!.latency.curves;
    expect(curve!.alphaMs).toBeCloseTo(4, 6);
    expect(curve!.high).toBeCloseTo(1, 6);
  });

  test('what the runner measured counts, the rest is overhead', () => {
    const world = World.withQueue(planned, 1, 1);
    world.run = ({ rows }) => ({
      ms: 7 + rows,
      result: { computeInputNs: 1e6, computeInferNs: 1e6 * (3 + rows), computeOutputNs: 0 },
    });
    for (let i = 0; i < 300; i += 1) {
      world.offer('lesson', { rows: 1 + (i % 8), bytes: 64 * (1 + (i % 8)) });
      world.until(world.now + 20);
    }
    const { latency } = world.scheduler.queue(onlyQueue)!;
    expect(latency.curves[0]!.alphaMs).toBeCloseTo(4, 6);
    expect(latency.overheadMs).toBeCloseTo(3, 6);
  });
});

describe('deferred batches', () => {
  const deferred: Partial<QueuePolicy> = { ...planned, deferred: true };

  test('a batch leaves when one more would make it late', () => {
    const world = taught(deferred, 10, 5);
    const now = world.now;
    world.offer('a', { timeoutMs: 100 });
    world.until(now + 30);
    world.offer('b', { timeoutMs: 100 });
    expect(world.batches).toHaveLength(0);
    world.until(now + 1000);
    // ℓ(3) = 25 before the first deadline.
    expect(world.batches.map(({ dispatchedAt }) => dispatchedAt - now)).toEqual([expect.closeTo(75, 3)]);
    expect(world.composition).toEqual(['a b']);
    expect(world.batches.flatMap(({ members }) => members.map(fate))).toEqual(['answered', 'answered']);
  });

  test('without a deadline nobody waits; a full batch does not wait', () => {
    const world = taught(deferred, 10, 5);
    world.offer('a');
    expect(world.composition).toEqual(['a']);
    world.until(world.now + 100);
    world.offers('b', 32, { timeoutMs: 1000 });
    expect(world.sizes).toEqual([1, 32]);
  });
});

/** Requests that were answered in time, of 15 s of twice as many as the runner can do. */
function goodput(policy: Partial<QueuePolicy>, seed: number): number {
  const random = seededRandom(seed);
  const world = taught(policy, 10, 1);
  // 32 rows take 42 ms: 0.76 rows a millisecond at best.
  const tickets: Ticket<Fate>[] = [];
  const end = world.now + 15_000;
  while (world.now < end) {
    tickets.push(world.offer('a', { timeoutMs: 40 + 40 * random.next() }));
    world.until(world.now - Math.log(1 - random.next()) / 1.5);
  }
  world.until(Infinity);
  return tickets.filter(({ tag, deadline }) => {
    const [first] = tag.ends;
    return first?.settlement === 'answered' && first.at <= deadline;
  }).length;
}

test.each([1, 2])('at twice the load that there is room for, planning answers far more in time (seed %i)', (seed) => {
  const best = 15_000 * (32 / 42);
  expect(goodput(planned, seed)).toBeGreaterThan(0.8 * best);
  expect(goodput({ ...planned, planDeadlines: false }, seed)).toBeLessThan(0.5 * best);
});
