import { playersOf } from './players';
import type { Tensor } from './tensor';
import { usualDivision } from './usual-division';

const row = (shape: readonly number[], name = 'image'): Tensor => ({
  ...{ name, shape, datatype: 'UINT8' as const },
  bytes: new Uint8Array(shape.reduce((product, dim) => product * dim, 1)),
});

test.each([
  [[1, 3, 32, 64], { height_axis: 1, width_axis: 2 }],
  [[1, 48, 32, 3], { height_axis: 0, width_axis: 1 }],
])('a picture of %p is divided into patches', (shape, axes) => {
  const tensor = row(shape);
  const { explained, reason } = usualDivision([tensor], true) ?? {};
  expect(explained).toMatchObject({ name: 'image', grid: { rows: 8, columns: 8, ...axes } });
  expect(reason).toMatch(/^input 'image' is a picture of \d+ × \d+ pixels, divided into 8 × 8 patches$/);
  const players = playersOf([tensor], explained ? [explained] : [], true, 100);
  expect(players.sizes).toEqual(Array(64).fill(tensor.bytes.length / 64));
});

test.each([
  ['few elements', [row([1, 1, 16, 16])]],
  ['a line', [row([1, 3, 4000, 2])]],
  ['a table', [row([1, 5000])]],
  ['channels of no picture', [row([1, 7, 64, 64])]],
  ['two inputs', [row([1, 3, 32, 32]), row([1, 2], 'other')]],
])('%s are not', (_, tensors) => {
  expect(usualDivision(tensors, true)).toBeUndefined();
});
