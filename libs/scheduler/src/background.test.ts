import * as fc from 'fast-check';
import { World, fate } from '../test/world';
import { queuePolicy } from './policy';

const background = { background: true };
const batching = { dynamic: true, maxBatchSize: 8 };

test('the background runs when nothing else waits, in batches of its own', () => {
  const world = World.withQueue(batching);
  world.offer('first');
  world.offers('b', 3, background);
  world.offers('p', 2);
  world.until(600);
  // Of the second there is one row only: what a row takes is not known before the first has run.
  expect(world.composition).toEqual(['first', 'p0 p1', 'b0', 'b1', 'b2']);
});

test('a plain request finds one background batch before it, however many wait', () => {
  const world = World.withQueue({ ...batching, maxBatchSize: 4 }, 2, 16);
  world.run = () => ({ ms: 1 });
  world.offers('b', 100, background);
  world.until(5);
  const before = world.batches.length;
  // Full batches, so that they are granted to runners which run something.
  const plain = world.offers('p', 8);
  world.offers('c', 4, background);
  expect(world.composition.slice(before)).toEqual(['p0 p1 p2 p3', 'p4 p5 p6 p7']);
  world.until(6);
  expect(plain.map(fate)).toEqual(new Array(8).fill('open'));
  world.until(7);
  expect(plain.map(fate)).toEqual(new Array(8).fill('answered'));
});

test('nothing runs in the background while a request is held back for company', () => {
  const world = World.withQueue({ ...batching, maxDelayMs: 50 });
  world.offer('held');
  world.offer('b', background);
  world.until(49);
  expect(world.composition).toEqual([]);
  world.until(70);
  expect(world.composition).toEqual(['held', 'b']);
  const other = world.offer('held too');
  world.offer('b2', background);
  world.scheduler.cancel(world.now, other);
  expect(world.composition).toEqual(['held', 'b', 'b2']);
});

test('it waits for as long as others come, and goes when its deadline passes', () => {
  const world = World.withQueue(batching);
  const patient = world.offer('patient', { ...background, priority: 1, queueTimeoutUs: 1 });
  world.until(50);
  expect(fate(patient)).toBe('answered');
  const [first, hasty] = [world.offer('p'), world.offer('hasty', { ...background, timeoutMs: 500 })];
  for (let i = 0; i < 60; i += 1) {
    world.offer(`p${i}`);
    world.until(world.now + 10);
  }
  expect(fate(first)).toBe('answered');
  expect(fate(hasty)).toBe('DEADLINE_EXCEEDED the deadline passed while the request waited in the queue');
  expect(hasty.tag.ends[0]?.at).toBe(550);
});

test('it fills a queue of its own, and the time-outs and sizes of levels are not for it', () => {
  const world = World.withQueue({
    ...batching,
    bounds: { requests: 8, rows: 100, bytes: 1000 },
    defaultTimeout: { action: 'reject', timeoutMs: 5, allowOverride: true, maxQueueSize: 6 },
  });
  world.run = () => ({ ms: 20 });
  world.offer('runs', { rows: 8 });
  const kept = world.offers('b', 2, { ...background, queueTimeoutUs: 10 });
  expect(fate(world.offer('b2', background))).toBe(
    "RESOURCE_EXHAUSTED the model's background queue is full: the server lets at most 2 requests wait for one model version",
  );
  expect(world.offers('p', 7).map(fate)).toEqual([
    ...new Array(6).fill('open'),
    'UNAVAILABLE Exceeds maximum queue size',
  ]);
  world.until(600);
  expect(kept.map(fate)).toEqual(['answered', 'answered']);

  const small = (facts: object) => {
    const other = World.withQueue({ ...batching, bounds: { requests: 100, rows: 16, bytes: 400 } }, 0);
    other.offer('b', { ...background, rows: 2, bytes: 50 });
    return fate(other.offer('b', { ...background, ...facts }));
  };
  expect(small({ rows: 2, bytes: 50 })).toBe('open');
  expect(small({ rows: 3 })).toContain('at most 4 batch items wait');
  expect(small({ bytes: 51 })).toContain('at most 100 bytes of inputs wait');
});

test('a background batch that failed is tried again in parts, after all that is not in the background', () => {
  const world = World.withQueue(batching);
  const queue = world.scheduler.queue('m/1@a')!;
  world.offer('runs');
  queue.backgroundRowMs = 1;
  world.offers('b', 2, background);
  let failed = false;
  world.run = ({ members }) => {
    if (failed || !members[0]?.background) return { ms: 10 };
    failed = true;
    return { ms: 10, result: { outcome: 'failed', message: 'no' } };
  };
  world.until(15);
  world.offer('p');
  world.until(900);
  expect(world.composition).toEqual(['runs', 'b0 b1', 'p', 'b0', 'b1']);
});

test('a solo request of the background is alone on its runner', () => {
  const world = World.withQueue(batching);
  world.offer('p');
  const queue = world.scheduler.queue('m/1@a')!;
  queue.backgroundRowMs = 1;
  world.offer('a', background);
  world.offer('solo', { ...background, solo: true });
  world.offer('b', background);
  world.until(255);
  world.offers('q', 8);
  expect(world.composition).toEqual(['p', 'a', 'solo']);
  world.until(600);
  expect(world.composition).toEqual(['p', 'a', 'solo', 'q0 q1 q2 q3 q4 q5 q6 q7', 'b']);
});

test('batches grow to what fits their time and not beyond, whatever a model takes', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 20, noNaN: true }),
      fc.double({ min: 0.01, max: 5, noNaN: true }),
      fc.integer({ min: 1, max: 32 }),
      (fixedMs, rowMs, maxBatchSize) => {
        const world = World.withQueue({ dynamic: true, maxBatchSize });
        const takes = (rows: number) => fixedMs + rowMs * rows;
        world.run = ({ rows }) => ({ ms: takes(rows) });
        const count = 20 * maxBatchSize;
        world.offers('b', count, background);
        world.until(Infinity);
        // Within rounding.
        expect(world.sizes.filter((rows) => rows > 1 && takes(rows) > 10 + 1e-6)).toEqual([]);
        expect(world.sizes.reduce((sum, rows) => sum + rows, 0)).toBe(count);
        const fitting = Math.min(maxBatchSize, Math.floor((10 - fixedMs) / rowMs));
        expect(Math.max(...world.sizes)).toBeGreaterThanOrEqual(fitting / 2);
      },
    ),
    { numRuns: 100 },
  );
});

test('batches are shorter while plain requests come', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 32 });
  world.run = ({ rows }) => ({ ms: rows });
  world.offer('p');
  world.offers('b', 2000, background);
  const sizes = () => world.batches.filter(({ reason }) => reason === 'background').map(({ rows }) => rows);
  world.until(999);
  expect([...new Set(sizes())]).toEqual([1, 2]);
  world.until(1500);
  const alone = sizes().length;
  expect(sizes().at(-1)).toBe(10);
  world.offer('q');
  world.until(2000);
  expect([...new Set(sizes().slice(alone))]).toEqual([2]);
});

test('batches shrink when the model becomes slower; a larger request runs as it is', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 32, backgroundBatchMs: 20 });
  let rowMs = 1;
  world.run = ({ rows }) => ({ ms: rows * rowMs });
  world.offers('b', 61, background);
  world.until(Infinity);
  expect(world.sizes).toEqual([1, 20, 20, 20]);
  rowMs = 5;
  world.offers('c', 100, background);
  world.until(Infinity);
  expect(world.sizes.slice(-4, -1)).toEqual([4, 4, 4]);
  world.offer('large', { ...background, rows: 32 });
  expect(world.sizes.at(-1)).toBe(32);
});

test('between plain requests a single runner rests from the background, for long beside what it took; and no longer than they come', () => {
  const world = World.withQueue(batching);
  for (let i = 0; i < 20; i += 1) {
    world.offer('p');
    world.until(world.now + 100);
  }
  world.offers('b', 100, background);
  const started = () =>
    world.batches.filter(({ reason }) => reason === 'background').map(({ dispatchedAt }) => dispatchedAt - 2000);
  for (let i = 0; i < 40; i += 1) {
    world.offer('p');
    world.until(world.now + 100);
  }
  // 10 ms, of which a plain request would not mind 2: as many as to make 8 in a thousand wait for longer.
  const times = started();
  expect(times.length).toBeGreaterThan(2);
  for (let i = 1; i < times.length; i += 1) {
    expect(times[i]! - times[i - 1]!).toBeGreaterThan(950);
    expect(times[i]! - times[i - 1]!).toBeLessThan(1200);
  }
  const last = world.now - 2000 - 100;
  world.until(world.now + 400);
  expect(
    started()
      .filter((at) => at >= last)
      .map((at) => at - last),
  ).toContain(250);
});

test('of several runners one is kept for the next plain request while they come, but for a moment now and then', () => {
  const world = World.withQueue({ ...batching, maxBatchSize: 1 }, 3);
  world.offers('p', 3);
  world.until(20);
  world.offers('b', 200, background);
  const busy = () => world.scheduler.queue('m/1@a')!.inFlight;
  // It may take the last one for a hundredth of the time: once, to begin with.
  expect(busy()).toBe(3);
  for (world.until(40); world.now < 200; world.until(world.now + 5)) expect(busy()).toBeLessThanOrEqual(2);
  world.until(251);
  expect(busy()).toBe(3);
});

test('a model that does not batch runs them one by one', () => {
  const world = World.withQueue({ maxBatchSize: 8 });
  world.offers('b', 3, background);
  world.until(100);
  expect(world.composition).toEqual(['b0', 'b1', 'b2']);
  expect(queuePolicy().backgroundBatchMs).toBe(10);
});
