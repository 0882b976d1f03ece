import { reshapeDims } from './reshape';

test('without a reshape the shape stays as it is, if it matches', () => {
  const pattern = [-1, 3];
  expect(reshapeDims([5, 3], pattern, pattern)).toEqual([5, 3]);
  expect(reshapeDims([5, 4], pattern, pattern)).toBeUndefined();
  expect(reshapeDims([5], pattern, pattern)).toBeUndefined();
});

test('a reshape carries the open sizes over, in order', () => {
  expect(reshapeDims([1], [1], [])).toEqual([]);
  expect(reshapeDims([], [], [1])).toEqual([1]);
  expect(reshapeDims([4, 7, 2], [-1, 7, -1], [-1, -1, 7])).toEqual([4, 2, 7]);
  expect(reshapeDims([6], [6], [2, 3])).toEqual([2, 3]);
});
