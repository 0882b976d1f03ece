import { lineOf, runCells } from './run-table';

const effort = { seconds: 1, warmupSeconds: 1, rounds: 3, only: '' };

test('cells take turns, round after round; what cannot be measured is left out', async () => {
  const order: string[] = [];
  const cell = (name: string, rates: readonly (number | undefined)[]) => {
    let round = 0;
    return {
      name,
      measure() {
        order.push(name);
        const rate = rates[round++];
        return rate === undefined ? Promise.reject(new Error('no')) : Promise.resolve({ rate });
      },
    };
  };
  const cells = [cell('a', [3, 1, 2]), cell('b', [7, undefined, 9]), cell('c', [])];
  const lines = await runCells(cells, effort, () => undefined);
  expect(order.join('')).toBe('abcabcabc');
  expect(lines).toEqual([
    { name: 'a', median: { rate: 2 }, rates: [1, 2, 3] },
    { name: 'b', median: { rate: 7 }, rates: [7, 9] },
  ]);
});

test('only some', async () => {
  const cell = (name: string) => ({ name, measure: () => Promise.resolve({ rate: 1 }) });
  const lines = await runCells([cell('mlp, 1'), cell('mlp, 16')], { ...effort, only: '16' }, () => undefined);
  expect(lines.map(({ name }) => name)).toEqual(['mlp, 16']);
});

test('the median round is shown whole', () => {
  const rounds = [5, 1, 3].map((rate) => ({ rate, p50: 10 * rate }));
  expect(lineOf('x', rounds).median).toEqual({ rate: 3, p50: 30 });
});
