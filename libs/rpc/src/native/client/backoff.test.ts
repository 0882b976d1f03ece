import { seededRandom } from '@shoal/core';
import { Backoff } from './backoff';

test('rests grow from a second to two minutes, and begin anew after a connection', () => {
  const backoff = new Backoff({ next: () => 0.5 });
  const rests = Array.from({ length: 14 }, () => backoff.next());
  expect(rests.slice(0, 3)).toEqual([1000, 1600, 2560]);
  for (let i = 1; i < rests.length; i += 1) expect(rests[i]).toBeGreaterThanOrEqual(rests[i - 1] as number);
  expect(rests.at(-1)).toBe(120_000);
  backoff.reset();
  expect(backoff.next()).toBe(1000);
});

test('many clients do not come back together', () => {
  const rests = Array.from({ length: 100 }, (_, seed) => new Backoff(seededRandom(seed)).next());
  expect(Math.min(...rests)).toBeGreaterThanOrEqual(800);
  expect(Math.max(...rests)).toBeLessThan(1200);
  expect(Math.max(...rests) - Math.min(...rests)).toBeGreaterThan(200);
});
