import { World } from '../test/world';

/*
 * Which requests Triton's dynamic batcher puts together: observed on a real one.
 */
const twoOrSix = { dynamic: true, maxBatchSize: 8, preferredSizes: [2, 6], maxDelayMs: 1000 };

test('a preferred size goes at once', () => {
  const world = World.withQueue(twoOrSix);
  world.offer('two', { rows: 2 });
  expect(world.composition).toEqual(['two']);
  world.until(100);
  world.offer('six', { rows: 6 });
  expect(world.composition).toEqual(['two', 'six']);
  expect(world.now).toBe(100);
});

test('singles go as soon as they make a preferred size', () => {
  const world = World.withQueue(twoOrSix);
  world.offers('a', 3);
  expect(world.composition).toEqual(['a0 a1']);
  world.until(999);
  expect(world.sizes).toEqual([2]);
  world.until(1000);
  expect(world.composition).toEqual(['a0 a1', 'a2']);
  expect(world.batches[1]?.reason).toBe('delay');
});

test('one alone waits out the delay, to the millisecond', () => {
  const world = World.withQueue(twoOrSix);
  world.until(37.25);
  world.offer('one');
  world.until(1037);
  expect(world.sizes).toEqual([]);
  world.until(2000);
  expect(world.batches.map(({ dispatchedAt }) => dispatchedAt)).toEqual([1037.25]);
});

test('3 then 4: the 3 goes at once, for the 4 takes it past every preferred size; the 4 waits', () => {
  const world = World.withQueue(twoOrSix);
  world.offer('three', { rows: 3 });
  expect(world.sizes).toEqual([]);
  world.until(5);
  world.offer('four', { rows: 4 });
  expect(world.composition).toEqual(['three']);
  world.until(1004);
  expect(world.sizes).toEqual([3]);
  world.until(1005);
  expect(world.sizes).toEqual([3, 4]);
});

test('7 goes at once, being past the largest preferred size', () => {
  const world = World.withQueue(twoOrSix);
  world.offer('seven', { rows: 7 });
  expect(world.sizes).toEqual([7]);
});

test('what has waited for too long goes with all that fits, preferred size or not', () => {
  const world = World.withQueue({ ...twoOrSix, preferredSizes: [4] });
  world.run = () => ({ ms: 3000 });
  world.offer('blocker', { rows: 8 });
  world.offers('a', 7);
  world.until(3000);
  expect(world.sizes).toEqual([8, 7]);
});

test('with a delay of 0 the largest preferred size that is queued goes, the rest after it', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 8, preferredSizes: [2, 4] });
  world.offer('blocker', { rows: 8 });
  world.offers('a', 7);
  world.until(Infinity);
  expect(world.sizes).toEqual([8, 4, 2, 1]);
});

test.each([1, 2, 3])('behind a blocker, 16 singles leave as 8 and 8 (%i credits)', (credits) => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 8 }, 1, credits);
  world.run = () => ({ ms: 600 });
  world.offer('blocker', { shapeKey: 'other' });
  for (let i = 0; i < 16; i += 1) {
    world.offer(`a${i}`);
    world.until(world.now + 1);
  }
  world.until(Infinity);
  expect(world.sizes).toEqual([1, 8, 8]);
});

test('the same once the model is known to be fast, when batches are granted ahead', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 8 });
  world.offer('first');
  world.until(20);
  world.run = () => ({ ms: 15 });
  world.offer('blocker');
  for (let i = 0; i < 16; i += 1) {
    world.offer(`a${i}`);
    world.until(world.now + 0.5);
  }
  world.until(Infinity);
  expect(world.sizes).toEqual([1, 1, 8, 8]);
  // The first eight were granted when they were eight, before the blocker had ended.
  expect(world.batches[2]?.dispatchedAt).toBe(23.5);
});

test('unequal shapes split, in order', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 8 });
  world.offer('blocker');
  world.offers('a', 2, { shapeKey: '3' });
  world.offers('b', 3, { shapeKey: '4' });
  world.offers('c', 1, { shapeKey: '3' });
  world.until(Infinity);
  expect(world.composition).toEqual(['blocker', 'a0 a1', 'b0 b1 b2', 'c0']);
});

test('a batch that cannot grow does not wait: the next one has another shape', () => {
  const world = World.withQueue(twoOrSix);
  world.offer('a', { shapeKey: '3' });
  world.offer('b', { shapeKey: '4' });
  expect(world.composition).toEqual(['a']);
});

test('size counts rows: 3 + 3 + 3 leave as 6 and 3', () => {
  const world = World.withQueue({ dynamic: true, maxBatchSize: 8 });
  world.offer('blocker');
  for (const name of ['a', 'b', 'c']) world.offer(name, { rows: 3 });
  world.until(Infinity);
  expect(world.composition).toEqual(['blocker', 'a b', 'c']);
});

test('without dynamic batching each request runs alone, in order of arrival', () => {
  const world = World.withQueue({ maxBatchSize: 8 });
  world.offer('a', { rows: 3, timeoutMs: 1000 });
  world.offer('b', { timeoutMs: 900 });
  world.offer('c', { timeoutMs: 800 });
  world.until(Infinity);
  expect(world.composition).toEqual(['a', 'b', 'c']);
});
