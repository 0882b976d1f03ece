import { seededRandom } from '@shoal/core';
import { BackOff } from './back-off';

test('delays double up to a bound, and start anew after a reset', () => {
  const full = new BackOff({ next: () => 0 });
  const delays = Array.from({ length: 12 }, () => full.next());
  expect(delays.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(delays.at(-1)).toBe(30_000);
  expect(full.attempts).toBe(12);
  full.reset();
  expect(full.next()).toBe(100);
});

test('jitter takes at most half', () => {
  const random = seededRandom(11);
  for (let i = 0; i < 200; i += 1) {
    const delay = new BackOff(random).next();
    expect(delay).toBeGreaterThan(50);
    expect(delay).toBeLessThanOrEqual(100);
  }
});
