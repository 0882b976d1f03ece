import { type Fate, World, onlyQueue } from '../test/world';
import { LatencyTable } from './latency/latency-table';
import type { Ticket } from './ticket';

test('a curve from before that is right of one size only does not keep batches at that size', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 64, batchEfficiency: 0.95 }, 1, 1);
  world.run = ({ rows }) => ({ ms: 10 + 0.1 * rows });
  const bucket = LatencyTable.bucket(64, 1);
  world.scheduler.queue(onlyQueue)!.recall([{ bucket, alphaMs: 0, betaMs: 10, high: 1.1, samples: 500 }]);
  for (let time = 0; time < 3000; time += 1) {
    world.until(time);
    world.offers('a', Math.max(0, 128 - world.scheduler.queue(onlyQueue)!.plain.rows));
  }
  expect(world.sizes.slice(1, 32)).toEqual(new Array(31).fill(1));
  expect(world.sizes.at(-1)).toBe(64);
});

test('quick requests that are as large as slow ones are not too late for ever', () => {
  const world = World.withQueue({ planDeadlines: true }, 2, 1);
  world.run = ({ members }) => ({ ms: members[0]?.tag.name === 'quick' ? 5 : 500 });
  const quick: Ticket<Fate>[] = [];
  for (let i = 0; i < 300; i += 1) {
    world.offer('slow');
    if (i >= 100) quick.push(world.offer('quick', { timeoutMs: 100 }));
    world.until(world.now + 600);
  }
  const fates = quick.map(({ tag }) => tag.ends[0]?.settlement);
  expect(fates[0]).toBe('rejected');
  expect(fates.filter((settlement) => settlement === 'rejected').length).toBeLessThan(20);
});

test('what is too late is tried once a second, no more', () => {
  const world = World.withQueue({ planDeadlines: true }, 2, 1);
  world.run = () => ({ ms: 500 });
  for (let i = 0; i < 100; i += 1) {
    world.offer('slow');
    world.until(world.now + 600);
  }
  const before = world.batches.length;
  let offered = 0;
  for (const end = world.now + 10_000; world.now < end; offered += 1) {
    if (offered % 60 === 0) world.offer('slow');
    world.offer('hurry', { timeoutMs: 100 });
    world.until(world.now + 10);
  }
  const tried = world.batches.slice(before).filter(({ members }) => members[0]?.tag.name === 'hurry');
  expect(tried.length).toBeGreaterThan(5);
  expect(tried.length).toBeLessThan(11);
});
