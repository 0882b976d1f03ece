import { seededRandom } from '@shoal/core';
import { FakeClock } from '@shoal/testing';
import { Deadlines } from './deadlines';

test('each expires at its time, unless it is deleted before; one timer serves all', () => {
  const seed = 11;
  const random = seededRandom(seed);
  const clock = new FakeClock(1000);
  const deadlines = new Deadlines(clock);
  const expired: [number, number][] = [];
  const kept: number[] = [];
  for (let i = 0; i < 500; i += 1) {
    const at = clock.now() + random.next() * 200;
    const item = { heapKey: 0, heapIndex: -1, expire: () => void expired.push([at, clock.now()]) };
    deadlines.add(item, at);
    if (random.next() < 0.5) deadlines.delete(item);
    else kept.push(at);
    expect(clock.pending).toBe(1);
    clock.advance(random.next());
  }
  clock.advance(300);
  expect(expired.map(([at]) => at).toSorted((a, b) => a - b)).toEqual(kept.toSorted((a, b) => a - b));
  // Timers count whole milliseconds.
  for (const [at, when] of expired) expect(when - at).toBeLessThanOrEqual(1);
  for (const [at, when] of expired) expect(when).toBeGreaterThanOrEqual(at);
  expect(deadlines.size).toBe(0);
  expect(clock.pending).toBe(0);
});

test('stopped, it lets go of its timer', () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  let expired = 0;
  const item = () => ({ heapKey: 0, heapIndex: -1, expire: () => void (expired += 1) });
  deadlines.add(item(), 10);
  deadlines.stop();
  deadlines.add(item(), 5);
  expect(clock.pending).toBe(0);
  clock.advance(100);
  expect(expired).toBe(0);
});
