import * as fc from 'fast-check';
import { TokenBucket } from './token-bucket';

test('a burst at once, then the rate', () => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0);
  for (let i = 0; i < 3; i += 1) {
    expect(bucket.waitMs(1, 0)).toBe(0);
    bucket.take(1, 0);
  }
  expect(bucket.waitMs(1, 0)).toBe(500);
  expect(bucket.waitMs(1, 499)).toBe(1);
  expect(bucket.waitMs(1, 500)).toBe(0);
  expect(bucket.level(1_000_000)).toBe(3);
});

test('what is larger than the burst waits for a full bucket and leaves a debt', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 10 }, 0);
  bucket.take(1, 0);
  expect(bucket.waitMs(25, 0)).toBe(100);
  bucket.take(25, 100);
  expect(bucket.level(100)).toBe(-15);
  expect(bucket.waitMs(0, 100)).toBe(1500);
  expect(bucket.waitMs(0, 1600)).toBe(0);
});

test('a change of the rate fills nothing and forgives nothing', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 10 }, 0);
  bucket.take(5, 0);
  bucket.change({ perSecond: 100, burst: 100 }, 0);
  expect(bucket.level(0)).toBe(50);
  bucket.take(80, 0);
  bucket.change({ perSecond: 1, burst: 1 }, 0);
  expect(bucket.level(0)).toBe(-30);
});

test('a clock that does not move, or backwards, gives nothing', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, 1000);
  bucket.take(1, 1000);
  expect(bucket.level(0)).toBe(0);
  expect(bucket.level(1000)).toBe(0);
});

// fast-check prints its seed when it fails.
test('over any time no more passes than the burst and the rate allow, apart from the last request; who waits as told passes', () => {
  const step = fc.record({ afterMs: fc.nat(2000), amount: fc.integer({ min: 1, max: 50 }), patient: fc.boolean() });
  const some = (max: number) => fc.double({ min: 0.1, max, noNaN: true });
  fc.assert(
    fc.property(some(100), some(40), fc.array(step, { maxLength: 60 }), (perSecond, burst, steps) => {
      const bucket = new TokenBucket({ perSecond, burst }, 0);
      const passed: { readonly at: number; readonly amount: number }[] = [];
      let now = 0;
      for (const { afterMs, amount, patient } of steps) {
        now += afterMs;
        const wait = bucket.waitMs(amount, now);
        if (wait > 0 && !patient) continue;
        now += wait;
        expect(bucket.waitMs(amount, now)).toBe(0);
        bucket.take(amount, now);
        passed.push({ at: now, amount });
      }
      passed.forEach(({ at: from }, first) => {
        let before = 0;
        for (const { at, amount } of passed.slice(first)) {
          expect(before).toBeLessThanOrEqual((burst + ((at - from) / 1000) * perSecond) * (1 + 1e-3));
          before += amount;
        }
      });
    }),
  );
});
