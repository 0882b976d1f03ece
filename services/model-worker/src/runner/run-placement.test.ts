import { RunPlacement } from './run-placement';

function ran(placement: RunPlacement, bytes: number, ...times: number[]): void {
  for (const ms of times) placement.ran(bytes, ms);
}

const many = (ms: number, count = 8) => Array.from({ length: count }, () => ms);

test('runs are short once enough of the same size were', () => {
  const placement = new RunPlacement();
  ran(placement, 1000, ...many(0.1, 7));
  expect(placement.inline(1000)).toBe(false);
  ran(placement, 1000, 0.1);
  expect(placement.inline(1000)).toBe(true);
  expect(placement.inline(600)).toBe(true);
  expect(placement.inline(1024)).toBe(false);
  expect(placement.inline(500)).toBe(false);
});

test('a slow first run is forgotten, a single slow one later is forgiven, lasting slowness is not', () => {
  const placement = new RunPlacement();
  ran(placement, 64, 500, ...many(0.1, 20));
  expect(placement.inline(64)).toBe(true);
  ran(placement, 64, 5);
  expect(placement.inline(64)).toBe(true);
  ran(placement, 64, 5, 5, 5, 5);
  expect(placement.inline(64)).toBe(false);
  ran(placement, 64, ...many(0.1, 12));
  expect(placement.inline(64)).toBe(true);
});

test('a time between the two limits leaves a run where it is', () => {
  const placement = new RunPlacement();
  ran(placement, 64, ...many(1.2, 50));
  expect(placement.inline(64)).toBe(false);
  ran(placement, 64, ...many(0.5, 50), ...many(1.2, 50));
  expect(placement.inline(64)).toBe(true);
});

test('empty and enormous inputs have classes too', () => {
  const placement = new RunPlacement();
  for (const bytes of [0, 2 ** 40]) {
    ran(placement, bytes, ...many(0.1));
    expect(placement.inline(bytes)).toBe(true);
  }
});
