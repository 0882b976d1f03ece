import { seededRandom } from './random';

test('the same seed gives the same numbers, within [0, 1)', () => {
  const a = seededRandom(7);
  const b = seededRandom(7);
  const drawn = Array.from({ length: 1000 }, () => a.next());
  expect(drawn).toEqual(Array.from({ length: 1000 }, () => b.next()));
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...drawn)).toBeLessThan(1);
  expect(drawn.reduce((sum, x) => sum + x, 0) / 1000).toBeCloseTo(0.5, 1);
});
