import { World, fate, onlyQueue } from '../test/world';
import { type TimeoutPolicy, patientTimeout, queuePolicy } from './policy';

/** Batches of 8 that wait for ten seconds: nothing leaves by itself. */
const holding = { dynamic: true, maxBatchSize: 8, maxDelayMs: 10_000 };

function timeouts(policy: Partial<TimeoutPolicy>): { defaultTimeout: TimeoutPolicy } {
  return { defaultTimeout: { ...patientTimeout, ...policy } };
}

test('a level that is full refuses, in Triton’s words', () => {
  const world = World.withQueue({ ...holding, ...timeouts({ maxQueueSize: 3 }) });
  const tickets = world.offers('a', 5);
  expect(tickets.map(fate)).toEqual([
    'open',
    'open',
    'open',
    'UNAVAILABLE Exceeds maximum queue size',
    'UNAVAILABLE Exceeds maximum queue size',
  ]);
  world.scheduler.cancel(0, tickets[0]!);
  expect(fate(world.offer('next'))).toBe('open');
});

test('what is offered again is not refused for a full queue', () => {
  const world = World.withQueue({ ...holding, ...timeouts({ maxQueueSize: 1 }) });
  world.offer('a');
  expect(fate(world.offer('b', { ageMs: 5 }))).toBe('open');
  expect(fate(world.offer('c'))).toMatch(/^UNAVAILABLE/);
});

test('REJECT: a request that waited for too long fails, to the millisecond', () => {
  const world = World.withQueue({ ...holding, ...timeouts({ timeoutMs: 400 }) });
  const ticket = world.offer('a');
  world.until(399);
  expect(fate(ticket)).toBe('open');
  world.until(401);
  expect(fate(ticket)).toBe('UNAVAILABLE Request timeout expired');
  expect(ticket.tag.ends[0]?.at).toBe(400);
  expect(world.quiet).toBe(true);
});

test('a request may ask for less than the default, never for more, and only where that is allowed', () => {
  const allowed = World.withQueue({ ...holding, ...timeouts({ timeoutMs: 400, allowOverride: true }) });
  const less = allowed.offer('less', { queueTimeoutUs: 100_000 });
  const more = allowed.offer('more', { queueTimeoutUs: 900_000 });
  allowed.until(1000);
  expect([less, more].map((ticket) => ticket.tag.ends[0]?.at)).toEqual([100, 400]);

  const forbidden = World.withQueue({ ...holding, ...timeouts({ timeoutMs: 400 }) });
  const ignored = forbidden.offer('ignored', { queueTimeoutUs: 100_000 });
  forbidden.until(1000);
  expect(ignored.tag.ends[0]?.at).toBe(400);

  const unlimited = World.withQueue({ ...holding, ...timeouts({ timeoutMs: 0, allowOverride: true }) });
  const patient = unlimited.offer('patient', { queueTimeoutUs: 100_000 });
  unlimited.until(1000);
  expect(fate(patient)).toBe('open');
});

test('DELAY: what waited for too long runs when nothing of its level that is in time waits', () => {
  const world = World.withQueue(timeouts({ action: 'delay', timeoutMs: 20 }), 1, 1);
  world.run = () => ({ ms: 30 });
  const tickets = [world.offer('blocker'), world.offer('late1'), world.offer('late2')];
  world.until(25);
  tickets.push(world.offer('fresh1'), world.offer('fresh2'));
  world.until(35);
  tickets.push(world.offer('fresh3'));
  world.until(Infinity);
  // fresh1 runs from 30; at 60 fresh2 is late itself (since 45) and stands behind those that were late before.
  expect(world.composition).toEqual(['blocker', 'fresh1', 'late1', 'late2', 'fresh2', 'fresh3']);
  expect(tickets.map(fate)).toEqual(tickets.map(() => 'answered'));
});

test('DELAY keeps within its priority level: a late urgent request goes before one of the next level', () => {
  const world = World.withQueue({ dynamic: true, priorityLevels: 2, ...timeouts({ action: 'delay', timeoutMs: 5 }) });
  world.offer('blocker');
  world.offer('second', { priority: 2 });
  world.offer('first', { priority: 1 });
  world.until(Infinity);
  expect(world.composition).toEqual(['blocker', 'first', 'second']);
});

test('strict priorities; 0 and levels that do not exist mean the default', () => {
  const world = World.withQueue({ dynamic: true, priorityLevels: 3, defaultLevel: 2 });
  world.offer('blocker');
  for (const priority of [3, 2, 0, 4, 1, 1e15, 3, 1, 1.5]) world.offer(`p${priority}`, { priority });
  world.until(Infinity);
  expect(world.composition).toEqual(['blocker', 'p1', 'p1', 'p2', 'p0', 'p4', 'p1000000000000000', 'p1.5', 'p3', 'p3']);
});

test('each level has its own policy', () => {
  const levelTimeouts = new Map([[2, { ...patientTimeout, timeoutMs: 50, maxQueueSize: 1 }]]);
  const world = World.withQueue({ ...holding, priorityLevels: 2, defaultLevel: 1, levelTimeouts });
  const tickets = [1, 1, 2, 2].map((priority, i) => world.offer(`a${i}`, { priority }));
  world.until(60);
  expect(tickets.map(fate)).toEqual([
    'open',
    'open',
    'UNAVAILABLE Request timeout expired',
    'UNAVAILABLE Exceeds maximum queue size',
  ]);
});

test.each([
  ['requests', { requests: 2, rows: 100, bytes: 1e6 }, 'at most 2 requests'],
  ['rows', { requests: 100, rows: 2, bytes: 1e6 }, 'at most 2 batch items'],
  ['bytes', { requests: 100, rows: 100, bytes: 150 }, 'at most 150 bytes of inputs'],
])('a queue without limits in its config is bounded in %s', (_, bounds, text) => {
  const world = World.withQueue({ ...holding, bounds });
  const tickets = world.offers('a', 3);
  expect(tickets.slice(0, 2).map(fate)).toEqual(['open', 'open']);
  expect(fate(tickets[2]!)).toMatch(/^RESOURCE_EXHAUSTED the model's queue is full/);
  expect(fate(tickets[2]!)).toContain(text);
  world.scheduler.cancel(0, tickets[0]!);
  expect(fate(world.offer('room'))).toBe('open');
});

test('more rows than a batch may have are refused', () => {
  const world = World.withQueue({ maxBatchSize: 4 });
  expect(fate(world.offer('a', { rows: 5 }))).toBe('INVALID_ARGUMENT inference request batch-size must be <= 4');
});

test('contradicting policies are refused', () => {
  expect(() => queuePolicy({ maxBatchSize: 4, preferredSizes: [5] })).toThrow(RangeError);
  expect(() => queuePolicy({ priorityLevels: 2, defaultLevel: 3 })).toThrow(RangeError);
  expect(queuePolicy({ maxBatchSize: 0 }).preferredSizes).toEqual([1]);
  expect(queuePolicy({ maxBatchSize: 8, preferredSizes: [6, 2, 6] }).preferredSizes).toEqual([2, 6]);
});

test('one that goes before those that are held makes a preferred size by itself', () => {
  const world = World.withQueue({ ...holding, preferredSizes: [1, 8] });
  world.offer('held', { rows: 2 });
  world.offer('again', { ageMs: 25 });
  expect(world.composition).toEqual(['again']);
});

test('an offer for a queue that does not exist has no ticket', () => {
  const world = World.withQueue({});
  expect(() => world.offer('a', {}, `${onlyQueue}b`)).toThrow('no queue');
});
