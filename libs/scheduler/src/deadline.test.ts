import { World, fate } from '../test/world';

const pairs = { dynamic: true, maxBatchSize: 2 };

test('a request past its deadline is never dispatched, and fails on time', () => {
  const world = World.withQueue({});
  world.run = () => ({ ms: 100 });
  world.offer('blocker');
  const late = world.offer('late', { timeoutMs: 30 });
  const exact = world.offer('exact', { timeoutMs: 100 });
  const fine = world.offer('fine', { timeoutMs: 101 });
  world.until(Infinity);
  expect(late.tag.ends.map(({ at }) => at)).toEqual([30]);
  expect(fate(late)).toMatch(/^DEADLINE_EXCEEDED/);
  expect(fate(exact)).toMatch(/^DEADLINE_EXCEEDED/);
  expect(fate(fine)).toBe('answered');
  expect(world.composition).toEqual(['blocker', 'fine']);
});

test('a deadline that is past already fails at once', () => {
  const world = World.withQueue({});
  expect(fate(world.offer('a', { timeoutMs: -1 }))).toMatch(/^DEADLINE_EXCEEDED/);
});

test('earliest deadline first within a level, and no deadline is no reason to wait for ever', () => {
  const world = World.withQueue({ dynamic: true, priorityLevels: 2 });
  world.run = () => ({ ms: 1 });
  world.offer('blocker');
  world.offer('none');
  world.offer('far', { timeoutMs: 60_000 });
  world.offer('near', { timeoutMs: 400 });
  world.offer('nearer', { timeoutMs: 300 });
  world.offer('urgent', { timeoutMs: 0, priority: 1 });
  world.offer('second', { timeoutMs: 100, priority: 2 });
  world.until(Infinity);
  expect(world.composition).toEqual(['blocker', 'nearer', 'near', 'none', 'far', 'urgent', 'second']);
});

test('newcomers in a hurry overtake a patient request for five seconds at most', () => {
  const world = World.withQueue({ dynamic: true });
  world.run = () => ({ ms: 50 });
  world.offer('blocker');
  const patient = world.offer('patient');
  world.offers('first', 2, { timeoutMs: 1000 });
  for (let i = 0; patient.tag.ends.length === 0 && i < 1000; i += 1) {
    world.offer(`hurry${i}`, { timeoutMs: 1000 });
    world.until(world.now + 50);
  }
  expect(patient.tag.ends[0]?.at).toBeGreaterThan(3500);
  expect(patient.tag.ends[0]?.at).toBeLessThan(5200);
});

test('with preserve_ordering arrival alone counts', () => {
  const world = World.withQueue({ dynamic: true, preserveOrdering: true });
  world.offers('a', 3);
  world.offer('b', { timeoutMs: 500 });
  world.until(Infinity);
  expect(world.composition).toEqual(['a0', 'a1', 'a2', 'b']);
});

test('waiting for company takes at most half of the time that a deadline leaves', () => {
  const world = World.withQueue({ ...pairs, maxDelayMs: 1000 });
  const ticket = world.offer('a', { timeoutMs: 100 });
  world.until(49);
  expect(world.sizes).toEqual([]);
  world.until(Infinity);
  expect(world.batches.map(({ dispatchedAt }) => dispatchedAt)).toEqual([50]);
  expect(fate(ticket)).toBe('answered');
});

test('the same when the one in a hurry joins a batch that waits already', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 4, maxDelayMs: 1000 });
  world.offer('a');
  world.until(10);
  world.offer('b', { timeoutMs: 40 });
  world.until(Infinity);
  expect(world.composition).toEqual(['b a']);
  expect(world.batches[0]?.dispatchedAt).toBe(30);
});

test('a cancelled request leaves its queue at once', () => {
  const world = World.withQueue(pairs);
  world.offer('blocker', { rows: 2 });
  const [a] = world.offers('a', 3);
  world.scheduler.cancel(0, a!);
  world.scheduler.cancel(0, a!);
  world.until(Infinity);
  expect(world.composition).toEqual(['blocker', 'a1 a2']);
  expect(a!.tag.ends.map(({ settlement }) => settlement)).toEqual(['cancelled']);
});

test('one cancelled while it runs is settled then, and not again', () => {
  const world = World.withQueue(pairs);
  const ticket = world.offer('a');
  expect(ticket.state).toBe('running');
  world.scheduler.cancel(0, ticket);
  world.until(Infinity);
  expect(ticket.tag.ends.map(({ settlement }) => settlement)).toEqual(['cancelled']);
});

test('cancelling the request that kept a batch closed lets the others wait on', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 8, maxDelayMs: 1000 });
  world.offer('first', { rows: 8 });
  world.offer('a');
  const other = world.offer('b', { solo: true });
  world.scheduler.cancel(0, other);
  world.until(20);
  expect(world.composition).toEqual(['first']);
  world.until(1000);
  expect(world.composition).toEqual(['first', 'a']);
});
