import { PastBatches } from './past-batches';

test('the last ones are remembered, older ones forgotten', () => {
  const past = new PastBatches(3);
  for (const batchId of [0, 10, 20, 30]) past.add(batchId);
  expect([0, 10, 20, 30].filter((batchId) => past.has(batchId))).toEqual([10, 20, 30]);
});

test('one that begins anew is not past; when it is over again it counts as the newest', () => {
  const past = new PastBatches(3);
  for (const batchId of [1, 2, 3]) past.add(batchId);
  past.delete(2);
  past.delete(7);
  expect(past.has(2)).toBe(false);
  for (const batchId of [2, 4]) past.add(batchId);
  expect([1, 2, 3, 4].filter((batchId) => past.has(batchId))).toEqual([2, 3, 4]);
});
