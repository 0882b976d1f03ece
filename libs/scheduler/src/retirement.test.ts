import { World, fate, onlyQueue } from '../test/world';
import { queuePolicy } from './policy';

test('a retired queue takes nothing new, finishes what it has, and is drained then', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 4, maxDelayMs: 1000 });
  const before = world.offers('a', 2);
  world.scheduler.retireQueue(0, onlyQueue, 'gone');
  // Nobody will join any more: the delay is not waited for.
  expect(world.composition).toEqual(['a0 a1']);
  expect(fate(world.offer('late'))).toBe('UNAVAILABLE gone');
  expect(world.drained).toEqual([]);
  world.until(Infinity);
  expect(before.map(fate)).toEqual(['answered', 'answered']);
  expect(world.drained).toEqual([onlyQueue]);
  expect(world.scheduler.queue(onlyQueue)).toBeUndefined();
});

test('an empty queue is drained at once, and its name is free again', () => {
  const world = World.withQueue({});
  world.scheduler.retireQueue(0, onlyQueue, 'gone');
  expect(world.drained).toEqual([onlyQueue]);
  world.scheduler.addQueue(onlyQueue, queuePolicy());
  expect(world.scheduler.addRunner(0, 'r0', onlyQueue, 1)).toBe(true);
  expect(fate(world.offer('a'))).toBe('open');
});

test('what a lost runner had is taken again while the queue drains', () => {
  const world = World.withQueue({}, 2, 1);
  const [first] = world.offers('a', 2);
  world.scheduler.retireQueue(0, onlyQueue, 'gone');
  world.scheduler.runnerLost(0, 'r0');
  expect(fate(first!)).toBe('lost');
  const again = world.offer('a0', { solo: true, ageMs: 3 });
  world.until(Infinity);
  expect(fate(again)).toBe('answered');
  expect(world.drained).toEqual([onlyQueue]);
});

test('expelling rejects what waits and leaves what runs to its runner', () => {
  const world = World.withQueue({}, 1, 1);
  const [runs, waits] = world.offers('a', 2);
  world.scheduler.expelQueue(0, onlyQueue, 'gone');
  expect([runs, waits].map((ticket) => fate(ticket!))).toEqual(['open', 'UNAVAILABLE gone']);
  expect(world.drained).toEqual([]);
  world.until(Infinity);
  expect(fate(runs!)).toBe('answered');
  expect(world.drained).toEqual([onlyQueue]);
});

test('expelling reaches halves of a failed batch too', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 4, maxDelayMs: 5 }, 1, 1);
  world.run = () => ({ ms: 10, result: { outcome: 'failed', code: 'INTERNAL', message: 'no' } });
  const tickets = world.offers('a', 4);
  world.until(12);
  world.scheduler.expelQueue(12, onlyQueue, 'gone');
  expect(tickets.map(fate)).toEqual(['open', 'open', 'UNAVAILABLE gone', 'UNAVAILABLE gone']);
  world.run = () => ({ ms: 10 });
  world.until(Infinity);
  expect(world.drained).toEqual([onlyQueue]);
});

test('one timer for all queues: the earliest is asked for, and a tick too early does no harm', () => {
  const world = World.withQueue({}, 0);
  world.scheduler.addQueue('n/1@a', queuePolicy());
  const [late, soon] = [world.offer('late', { timeoutMs: 80 }), world.offer('soon', { timeoutMs: 20 }, 'n/1@a')];
  world.scheduler.tick(0);
  world.scheduler.tick(0);
  world.until(Infinity);
  expect([soon, late].map(({ tag }) => tag.ends.map(({ at }) => at))).toEqual([[20], [80]]);
});

test('cancelling the last request of a retired queue drains it', () => {
  const world = World.withQueue({}, 0);
  const ticket = world.offer('a');
  world.scheduler.retireQueue(0, onlyQueue, 'gone');
  expect(world.drained).toEqual([]);
  world.scheduler.cancel(0, ticket);
  expect(world.drained).toEqual([onlyQueue]);
});
