import { type Clock, systemClock } from '@shoal/core';
import { WallTime } from './wall-time';

/** Time goes on by a hundredth of a millisecond at each look. */
class LookedAtClock {
  time = 5000;
  wallOffset = 1_000_000.25;
  /** How long the process does not run after a look at the wall clock, while there is something in it. */
  stops: number[] = [];
  now() {
    return (this.time += 0.01);
  }
  epochMs() {
    const epoch = Math.floor((this.time += 0.01) + this.wallOffset);
    this.time += this.stops.shift() ?? 0;
    return epoch;
  }
  schedule() {
    return () => undefined;
  }
}

test('finds the wall clock’s fraction of a millisecond, and follows it when it is set', () => {
  const clock = new LookedAtClock();
  const wall = new WallTime(clock satisfies Clock);
  expect(Math.abs(wall.offset - clock.wallOffset)).toBeLessThan(0.05);
  const first = wall.offset;
  for (let n = 0; n < 200; n++) wall.check();
  expect(wall.offset).toBe(first);
  clock.wallOffset -= 3600_000;
  wall.check();
  expect(Math.abs(wall.offset - clock.wallOffset)).toBeLessThan(0.05);
  clock.wallOffset += 10;
  wall.check();
  expect(Math.abs(wall.offset - clock.wallOffset)).toBeLessThan(0.05);
});

test('a process that is held up between two looks concludes nothing from them', () => {
  const clock = new LookedAtClock();
  clock.stops = Array.from({ length: 400 }, (_, n) => (n % 3 === 0 ? 7.3 : 0));
  const wall = new WallTime(clock satisfies Clock);
  expect(Math.abs(wall.offset - clock.wallOffset)).toBeLessThan(0.05);
  const first = wall.offset;
  clock.stops = [50, 50, 50];
  const began = clock.time;
  for (let n = 0; n < 6; n++) wall.check();
  expect(wall.offset).toBe(first);
  // It has not looked for the offset again.
  expect(clock.time - began - 150).toBeLessThan(0.2);
});

test('on real time it is within what the wall clock shows', () => {
  const wall = new WallTime(systemClock);
  const before = systemClock.epochMs();
  const at = systemClock.now() + wall.offset;
  const after = systemClock.epochMs() + 1;
  // Slewing of the wall clock aside.
  expect(at).toBeGreaterThan(before - 1);
  expect(at).toBeLessThan(after + 1);
});

test('a clock that stands does not hold it up', () => {
  const still: Clock = { now: () => 7, epochMs: () => 1000, schedule: () => () => undefined };
  expect(new WallTime(still).offset).toBe(993);
});
