import { FakeClock } from '@shoal/testing';
import { Pace } from './pace';

test('a part of the time is kept for the answer, within bounds', () => {
  for (const [total, kept] of [
    [100, 20],
    [2000, 200],
    [60_000, 300],
  ] as const) {
    const clock = new FakeClock(50);
    const pace = new Pace(clock, 50 + total);
    let stopped = 0;
    pace.watch(() => (stopped += 1));
    clock.advance(total - kept - 1);
    expect([stopped, pace.late]).toEqual([0, false]);
    clock.advance(1);
    expect([stopped, pace.late]).toEqual([1, true]);
    expect(clock.pending).toBe(0);
  }
});

test('slow round trips are remembered for a while', () => {
  const clock = new FakeClock();
  const pace = new Pace(clock, 10_000);
  pace.measured(4000);
  clock.advance(3999);
  expect(pace.late).toBe(false);
  clock.advance(1);
  expect(pace.late).toBe(true);
  for (let i = 0; i < 30; i += 1) pace.measured(1);
  expect(pace.late).toBe(false);
  expect([pace.requests, pace.meanMs]).toEqual([31, 4030 / 31]);
});

test('without a deadline there is no timer', () => {
  const clock = new FakeClock();
  const pace = new Pace(clock, undefined);
  pace.watch(() => undefined);
  expect([clock.pending, pace.late]).toEqual([0, false]);
});
