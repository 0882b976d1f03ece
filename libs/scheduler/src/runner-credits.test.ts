import { World, fate, onlyQueue } from '../test/world';

test('idle runners are used before busy ones, longest idle first', () => {
  const world = World.withQueue({}, 3);
  world.offers('a', 2);
  world.until(10);
  world.offers('b', 3);
  expect(world.batches.map(({ runner }) => runner.id)).toEqual(['r0', 'r1', 'r2', 'r0', 'r1']);
});

test('a second batch is granted ahead only when the model is known to be fast', () => {
  const world = World.withQueue({}, 1, 2);
  world.offers('a', 3);
  // Nothing is known yet: no batch is bound to a runner that may take for ever.
  expect(world.batches).toHaveLength(1);
  world.until(10);
  // 10 ms each: one runs, one loads.
  expect(world.batches).toHaveLength(3);
  world.until(Infinity);
  world.run = () => ({ ms: 500 });
  world.offer('slow');
  world.until(Infinity);
  world.offers('b', 2);
  expect(world.batches).toHaveLength(5);
});

test.each([
  [1, 150, 'granted'],
  [1, 250, 'kept'],
  [2, 40, 'granted'],
  [2, 60, 'kept'],
])('with %i runners and batches of %i ms, one ahead is %s', (runners, ms, outcome) => {
  const world = World.withQueue({}, runners, 2);
  world.run = () => ({ ms });
  world.offer('known');
  world.until(1000);
  world.offers('a', runners + 1);
  expect(world.batches).toHaveLength(1 + runners + (outcome === 'granted' ? 1 : 0));
});

test.each([
  // Of 16 credits: what a runner has at once may take 3 ms in all, and two batches at least.
  [0.05, 16],
  [0.25, 12],
  [0.5, 6],
  [1.4, 2],
  [20, 2],
])('batches of %f ms: a runner is granted %i at once', (ms, ahead) => {
  const world = World.withQueue({}, 1, 16);
  world.run = () => ({ ms });
  world.offer('known');
  world.until(100);
  world.offers('a', 40);
  expect(world.batches).toHaveLength(1 + ahead);
  world.until(Infinity);
  expect(world.batches).toHaveLength(41);
});

test('one slow batch among short ones does not end it', () => {
  const world = World.withQueue({}, 1, 16);
  world.run = () => ({ ms: 0.25 });
  world.offers('short', 20);
  world.until(100);
  world.run = () => ({ ms: 6 });
  world.offer('slow');
  world.until(200);
  // A tenth of it counts: 0.825 ms are expected of the next ones.
  world.offers('a', 40);
  expect(world.batches).toHaveLength(21 + 3);
  world.until(Infinity);
});

test('no batch is bound to a runner that is late', () => {
  const world = World.withQueue({}, 2, 2);
  world.offer('a');
  world.until(10);
  world.run = () => ({ ms: 2000 });
  world.offer('slow1');
  world.offer('slow2');
  world.until(15);
  // r0 and r1 have been busy for 5 ms; 10 is usual.
  world.offer('b');
  expect(world.batches.at(-1)?.members[0]?.tag.name).toBe('b');
  world.until(45);
  world.offer('c');
  expect(world.batches.at(-1)?.members[0]?.tag.name).toBe('b');
});

test('a batch that can still grow is not granted ahead', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 4 }, 1, 2);
  world.offer('first');
  world.until(10);
  world.offer('blocker');
  world.offers('a', 3);
  expect(world.sizes).toEqual([1, 1]);
  world.offer('b');
  expect(world.sizes).toEqual([1, 1, 4]);
});

test('with preserve_ordering batches run at once on several runners, in the order of arrival', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 2, preserveOrdering: true }, 3, 1);
  world.offers('blocker', 3);
  const patience = [900, 100, 0, 500, 0, 50];
  for (const [i, timeoutMs] of patience.entries()) world.offer(`a${i}`, { timeoutMs });
  world.until(10);
  expect(world.composition.slice(3)).toEqual(['a0 a1', 'a2 a3', 'a4 a5']);
  expect(world.scheduler.queue(onlyQueue)?.inFlight).toBe(3);
  world.until(Infinity);
});

test('a solo request runs alone in its batch, on a runner that runs nothing else', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 4 }, 1, 2);
  world.offer('warm');
  world.until(10);
  world.offer('blocker');
  world.offers('a', 2);
  world.offer('solo', { solo: true, ageMs: 1000 });
  world.offers('b', 8);
  const running: string[][] = [];
  for (let time = 11; time < 100; time += 1) {
    world.until(time);
    const [runner] = world.scheduler.queue(onlyQueue)?.runners ?? [];
    running.push(
      [...(runner?.batches.values() ?? [])].map(({ members }) => members.map(({ tag }) => tag.name).join(' ')),
    );
  }
  expect(world.composition).toEqual(['warm', 'blocker', 'solo', 'a0 a1 b0 b1', 'b2 b3 b4 b5', 'b6 b7']);
  expect(running.filter((batches) => batches.includes('solo')).every((batches) => batches.length === 1)).toBe(true);
});

test('a runner that is lost loses what it ran, once; what waits goes to the others', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 2 }, 1, 1);
  const [a, b, c] = world.offers('a', 3);
  world.scheduler.cancel(0, a!);
  world.scheduler.runnerLost(0, 'r0');
  world.until(100);
  expect([a, b, c].map((ticket) => fate(ticket!))).toEqual(['cancelled', 'open', 'open']);
  world.scheduler.addRunner(100, 'r1', onlyQueue, 1);
  world.scheduler.runnerLost(100, 'r1');
  expect([b, c].map((ticket) => fate(ticket!))).toEqual(['lost', 'lost']);
  world.until(Infinity);
  expect([a, b, c].map((ticket) => ticket!.tag.ends.length)).toEqual([1, 1, 1]);
});

test('a retired runner finishes what it has and is granted nothing more', () => {
  const world = World.withQueue({}, 2, 1);
  const tickets = world.offers('a', 5);
  world.scheduler.retireRunner('r0');
  world.until(Infinity);
  expect(world.batches.map(({ runner }) => runner.id)).toEqual(['r0', 'r1', 'r1', 'r1', 'r1']);
  expect(tickets.map(fate)).toEqual(tickets.map(() => 'answered'));
});

test('runners of unknown queues and ids in use are not taken', () => {
  const world = World.withQueue({});
  expect(world.scheduler.addRunner(0, 'r9', 'other/1@a', 1)).toBe(false);
  expect(world.scheduler.addRunner(0, 'r0', onlyQueue, 1)).toBe(false);
  world.scheduler.batchDone(0, 'r0', 77, { outcome: 'ok', code: 'UNKNOWN', message: '', memberErrors: [], absent: [] });
  world.scheduler.runnerLost(0, 'nobody');
});
