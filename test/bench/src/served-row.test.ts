import type { BenchRow } from '@shoal/load';
import { generatorNotes, spread, toServed } from './served-row';

const row = {
  inferRate: 100,
  failed: 1,
  latency: { p50: 1, p95: 2, p99: 3 },
  server: null,
  serverProcesses: [
    { pid: 5, name: 'main', cpuUs: 10 },
    { pid: 6, name: 'runner', cpuUs: 20 },
    { pid: 7, name: 'runner', cpuUs: 30 },
  ],
  generator: { cpuUsPerRequest: 4, likelyTheLimit: true },
} as unknown as BenchRow;

test('CPU is split between the root process and the others', () => {
  expect(toServed(row, 5)).toEqual({
    ...{ rate: 100, failed: 1, p50: 1, p95: 2, p99: 3, batch: Number.NaN },
    ...{ rootUs: 10, childrenUs: 50, clientUs: 4, generatorLimit: true },
  });
  expect(toServed(row, 0)).toMatchObject({ rootUs: Number.NaN, childrenUs: Number.NaN });
});

test('lines limited by the generator are named', () => {
  const median = toServed(row, 5);
  const lines = [
    { name: 'a', median, rates: [100] },
    { name: 'b', median: { ...median, generatorLimit: false }, rates: [100] },
  ];
  expect(generatorNotes(lines)).toEqual(['The load generator itself was likely the limit of: a.']);
  expect(generatorNotes(lines.slice(1))).toEqual([]);
});

test('the spread is that of the rates, of their median', () => {
  expect(spread([90, 100, 120])).toBe('30%');
  expect(spread([])).toBe('–');
});
