import * as fc from 'fast-check';
import { World, fate } from '../test/world';
import type { BatchResult } from './run-outcome';

const failure: Partial<BatchResult> = { outcome: 'failed', code: 'INTERNAL', message: 'poisoned' };

/** A world whose runs fail when a member's name starts with an x. */
function poisonable(credits = 2): World {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 8 }, 1, credits);
  world.run = ({ members }) => {
    const poisoned = members.some(({ tag, state }) => state === 'running' && tag.name.startsWith('x'));
    return poisoned ? { ms: 10, result: failure } : { ms: 10 };
  };
  return world;
}

test('of a batch that failed, halves run again ahead of the queue, until the poison is alone', () => {
  const world = poisonable(1);
  world.offer('blocker');
  const tickets = ['a', 'b', 'c', 'd', 'e', 'x', 'g', 'h', 'later'].map((name) => world.offer(name));
  world.until(Infinity);
  expect(world.composition).toEqual([
    'blocker',
    'a b c d e x g h',
    'a b c d',
    'e x g h',
    'e x',
    'e',
    'x',
    'g h',
    'later',
  ]);
  expect(tickets.map(fate)).toEqual(tickets.map(({ tag }) => (tag.name === 'x' ? 'INTERNAL poisoned' : 'answered')));
  expect(tickets[5]?.tag.ends[0]?.rejection?.origin).toBe('model');
});

test('whatever is poisoned, that and nothing else fails', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      (poison, credits) => {
        const world = poisonable(credits);
        const tickets = poison.map((bad, i) => world.offer(`${bad ? 'x' : 'a'}${i}`));
        world.until(Infinity);
        expect(tickets.map(fate)).toEqual(poison.map((bad) => (bad ? 'INTERNAL poisoned' : 'answered')));
      },
    ),
    { numRuns: 300 },
  );
});

test('halves still respect cancellation and deadlines', () => {
  const world = poisonable(1);
  world.offer('blocker');
  const cancelled = world.offer('a');
  const x = world.offer('x');
  const y = world.offer('xy', { timeoutMs: 45 });
  const z = world.offer('z', { timeoutMs: 25 });
  world.until(15);
  world.scheduler.cancel(15, cancelled);
  world.until(Infinity);
  // In order of deadlines: z, xy, a, x. The halves are 'z xy' and 'x', a being gone; at 30 z is past its deadline.
  expect(world.composition).toEqual(['blocker', 'z xy a x', 'z xy', 'xy', 'x']);
  expect([cancelled, x, y].map(fate)).toEqual(['cancelled', 'INTERNAL poisoned', 'INTERNAL poisoned']);
  expect(fate(z)).toMatch(/^DEADLINE_EXCEEDED/);
});

test('a half that waits for a runner expires on time, and can be cancelled', () => {
  const world = poisonable(1);
  const tickets = [world.offer('x'), world.offer('a', { timeoutMs: 200 }), world.offer('b')];
  world.offer('c');
  world.until(15);
  // The runner dies with the batch that follows; nobody is there to run the halves.
  world.scheduler.runnerLost(15, 'r0');
  expect(tickets.map(fate)).toEqual(['INTERNAL poisoned', 'lost', 'lost']);
});

test('pinned requests leave by deadline and by cancellation while no runner is there', () => {
  const world = poisonable(1);
  world.offer('blocker');
  const [a, b, x] = [world.offer('a', { timeoutMs: 200 }), world.offer('b'), world.offer('x')];
  world.until(10);
  world.scheduler.retireRunner('r0');
  world.until(100);
  expect([a, b, x].map((ticket) => ticket?.state)).toEqual(['pinned', 'pinned', 'pinned']);
  world.scheduler.cancel(100, b);
  world.until(300);
  expect(a.tag.ends[0]?.at).toBe(200);
  expect(fate(b)).toBe('cancelled');
  world.scheduler.addRunner(300, 'r1', 'm/1@a', 1);
  world.until(Infinity);
  expect(fate(x)).toBe('INTERNAL poisoned');
});

test('members that failed by themselves are rejected, those that were not run are not counted as answered', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 4, maxDelayMs: 5 });
  const memberErrors = [{ member: 1, code: 'RESOURCE_EXHAUSTED' as const, message: 'too large' }];
  world.run = () => ({ ms: 10, result: { memberErrors, absent: [2] } });
  const tickets = world.offers('a', 4);
  world.until(Infinity);
  expect(tickets.map(fate)).toEqual(['answered', 'RESOURCE_EXHAUSTED too large', 'cancelled', 'answered']);
});

test('absent members do not hide that one request failed alone', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 2, maxDelayMs: 5 });
  world.run = () => ({ ms: 10, result: { ...failure, absent: [0] } });
  const tickets = world.offers('a', 2);
  world.until(Infinity);
  expect(tickets.map(fate)).toEqual(['cancelled', 'INTERNAL poisoned']);
  expect(world.batches).toHaveLength(1);
});

test('a refused batch goes back to the front and runs elsewhere', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 2 }, 2, 1);
  let refusals = 1;
  world.run = ({ runner }) => ({
    ms: runner.id === 'r0' ? 5 : 7,
    ...(refusals-- > 0 && { result: { outcome: 'refused' } }),
  });
  const tickets = ['a', 'b', 'c', 'd'].map((name) => world.offer(name));
  world.until(Infinity);
  expect(world.composition).toEqual(['a', 'b', 'a c', 'd']);
  expect(tickets.map(fate)).toEqual(tickets.map(() => 'answered'));
});

test('a runner that only ever refuses is granted no more, and a request that nobody takes fails in the end', () => {
  const world = World.withQueue({}, 0);
  world.run = () => ({ ms: 1, result: { outcome: 'refused' } });
  const ticket = world.offer('a');
  for (let i = 0; fate(ticket) === 'open' && i < 10; i += 1) {
    world.scheduler.addRunner(world.now, `r${i}`, 'm/1@a', 1);
    world.until(world.now + 100);
  }
  expect(fate(ticket)).toBe('UNAVAILABLE no instance of the model accepted the request');
  expect(world.batches.map(({ runner }) => runner.id)).toEqual(['r0', 'r0', 'r0', 'r1', 'r1', 'r1', 'r2', 'r2']);
});
