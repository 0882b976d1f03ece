import { columnsOf } from '@shoal/report';
import { toExplanation } from './to-explanation';
import type { ExplainResponse } from './messages';
import { progressOf } from './progress';
import { renderExplanation } from './render-explanation';

const answer = (values: readonly number[], names = values.map((_, at) => `feature ${at}`)): ExplainResponse => ({
  ...{ id: '', model_name: 'm', model_version: '3', method: 'permutation', reason: '', partial: false, seed: 5 },
  features: names.map((name) => ({ name, input: 'x', elements: 1 })),
  outputs: [
    {
      ...{ output: 'p', index: 1, label: 'yes', values, standard_errors: values.map(() => 0.0123), interactions: [] },
      ...{ base_value: 0.25, output_value: 0.75, additivity_gap: -1e-9 },
    },
  ],
  ...{ exact: false, converged: false, stop_reason: 'deadline' },
  usage: { evaluations: 10, rows: 100, requests: 2 },
  link: { function: 'LOGIT', epsilon: 1e-7, clamped: 4 },
  background: { name: 'typical', sha256: 'ab'.repeat(32), rows: 10, source: 'file' },
  warnings: ['be careful'],
  timings: { total_ms: 12 },
  quality: [],
});

const plain = { color: false, columns: 100 };
const lines = (one: ExplainResponse, style = plain) => renderExplanation(toExplanation(one, []), style).split('\n');

test('bars begin at one axis, to both sides of it, and the longest first', () => {
  const [, , first, second, third] = lines(answer([0.1, -0.8, 0.4])) as [string, string, string, string, string];
  expect([first, second, third].map((line) => line.slice(0, 9))).toEqual(['feature 1', 'feature 2', 'feature 0']);
  const axes = [first, second, third].map((line) => line.indexOf('│'));
  expect(new Set(axes).size).toBe(1);
  const full = (line: string) => line.split('█').length - 1;
  expect(full(first)).toBe(2 * full(second));
  expect(first.indexOf('█')).toBeLessThan(axes[0] as number);
  expect(second.indexOf('█')).toBeGreaterThan(axes[0] as number);
  expect(first).toMatch(/ -0\.8 {2}± 0\.012$/);
});

test('it says what the numbers are worth', () => {
  const text = lines(answer([1])).join('\n');
  expect(text).toContain('p[1] (yes)');
  expect(text).toContain('base 0.25, output 0.75, additivity gap -1.00e-9');
  expect(text).toContain('NOT converged: it ran out of time');
  expect(text).toContain('10 evaluations, 100 rows in 2 requests, 12 ms, seed 5');
  expect(text).toContain('4 predictions were clamped');
  expect(text).toContain('warning     be careful');
});

test('nothing in a name acts on the terminal, and each is one line', () => {
  const names = ['\u001b[2J\u001b]0;x\u0007', 'a\nb\r', '\u202eevil'];
  const one = { ...answer([1, 2, 3], names), warnings: ['\u001b[31m'], reason: '\u009b2J' };
  const text = lines(one).join('\n');
  // eslint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(lines(one)).toHaveLength(lines({ ...answer([1, 2, 3]), warnings: ['one'] }).length);
});

test.each([40, 80, 200])('lines of %i columns, whatever the names are', (columns) => {
  const one = answer([1, -2], ['平均'.repeat(40), 'n'.repeat(300)]);
  const bars = lines(one, { color: false, columns }).filter((line) => line.includes('│'));
  expect(bars).toHaveLength(2);
  for (const line of bars) expect(columnsOf(line)).toBeLessThanOrEqual(Math.max(columns, 80));
  expect(new Set(bars.map((line) => columnsOf(line.slice(0, line.indexOf('│'))))).size).toBe(1);
});

test('colours only where they are wanted', () => {
  expect(lines(answer([1])).join('')).not.toContain('\u001b');
  expect(lines(answer([1]), { color: true, columns: 100 }).join('')).toContain('\u001b[38;5;208m');
});

test('what is no number is not drawn, and said', () => {
  expect(lines(answer([Number.NaN, 1])).join('\n')).toMatch(/feature 0 .*│.*unknown/);
});

test('progress is written where somebody looks, and wiped away', () => {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  const silent = progressOf({ write });
  silent.show(answer([1]));
  silent.clear();
  expect(written).toEqual([]);
  const progress = progressOf({ isTTY: true, write });
  progress.show(answer([1]));
  progress.clear();
  expect(written).toEqual(['\r\u001b[2Kpermutation: 10 evaluations, 100 rows, largest error ± 0.012', '\r\u001b[2K']);
});
