import { modelLines, renderModelTable } from './model-table';

const version = (model: string, number: number, state: 'READY' | 'UNAVAILABLE', reason = '') => ({
  model,
  version: number,
  generation: 'g',
  state,
  reason,
});

test('lines come by name, then version; a model without a version says why', () => {
  const lines = modelLines(
    [
      { model: 'b', reason: '' },
      { model: 'broken', reason: 'no version folder' },
      { model: 'lazy', reason: '' },
    ],
    [version('b', 10, 'READY'), version('b', 9, 'UNAVAILABLE', 'load failed\nat length'), version('a', 1, 'READY')],
  );
  expect(lines.map(({ model, version: number, status }) => `${model} ${number} ${status}`)).toEqual([
    'a 1 READY',
    'b 9 UNAVAILABLE: load failed\nat length',
    'b 10 READY',
    'broken - no version folder',
    'lazy - not loaded',
  ]);
  const table = renderModelTable(lines).split('\n');
  expect(table).toHaveLength(lines.length + 2);
  expect(table[3]).toMatch(/^b {7}9 {8}- {9}UNAVAILABLE: load failed$/);
});
