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
      ...{
        output: 'p',
        index: 1,
        label: 'yes',
        values,
        standard_errors: values.map(() => 0.0123),
        interactions: [],
        map: null,
      },
      ...{ base_value: 0.25, output_value: 0.75, additivity_gap: -1e-9 },
    },
  ],
  ...{ exact: false, converged: false, stop_reason: 'deadline' },
  usage: { evaluations: 10, rows: 100, requests: 2 },
  link: { function: 'LOGIT', epsilon: 1e-7, clamped: 4 },
  background: { name: 'typical', sha256: 'ab'.repeat(32), rows: 10, source: 'file' },
  warnings: ['be careful'],
  timings: { total_ms: 12 },
  ...{ quality: [], anchor: null, counterfactuals: null, curves: [], importance: null, divisions: [] },
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

const nothing = (one: ExplainResponse) => ({
  ...one,
  outputs: one.outputs.map((output) => ({ ...output, values: [] })),
});

test('a rule, line by line', () => {
  const anchor = {
    predicates: [{ feature: 0, up_to: 1.6 }, { feature: 1, above: -2, up_to: 3 }, { feature: 2 }],
    ...{
      precision: 0.97,
      lower: 0.951,
      upper: 0.99,
      coverage: 0.125,
      samples: 810,
      answer: 1,
      label: 'yes\u001b',
      found: true,
    },
  };
  const text = lines({ ...nothing(answer([1, 2, 3])), anchor });
  expect(text.slice(0, 4)).toEqual([
    'if    feature 0 ≤ 1.6',
    'and   -2 < feature 1 ≤ 3',
    'and   feature 2 is there',
    'then  yes\\x1b',
  ]);
  expect(text[5]).toBe('right for 97 % of 810 samples, bounds 95.1 % to 99 %; holds for 12.5 %');
});

test('a table of nearby rows', () => {
  const rows = [
    { values: [1, 5, 3], changed: [1], output: [0.4, 0.6], distance: 0.1 },
    { values: [0, 4, 3], changed: [0, 1], output: [0.4, 0.7], distance: 0.25 },
  ];
  const counterfactuals = { rows, wanted: 'p[1] is the largest', already: false };
  const text = renderExplanation(
    toExplanation({ ...nothing(answer([1, 2, 3])), counterfactuals }, ['1', '2', '3']),
    plain,
  ).split('\n');
  expect(text.slice(0, 7)).toEqual([
    'nearby rows for which p[1] is the largest',
    '            the row  row 1  row 2',
    'feature 0         1      ·      0',
    'feature 1         2      5      4',
    'p[1] (yes)     0.75    0.6    0.7',
    'distance          0    0.1   0.25',
    'One other feature stays as it is.',
  ]);
});

test('curves in little, the steepest first', () => {
  const curve = {
    output: 'p',
    index: 1,
    grid: [0, 1, 2],
    standard_errors: [],
    row_values: [],
    individual: [],
    row_at: 1.5,
  };
  const curves = [
    { ...curve, feature: 0, values: [1, 1, 1] },
    { ...curve, feature: 1, values: [0, 3.5, 7] },
  ];
  const text = lines({ ...nothing(answer([1, 2])), curves });
  expect(text[1]).toBe('output 0.75; lowest ▁ 0, highest █ 7');
  expect(text[2]).toBe('feature 1  0 ▁▅█ 2  0 to 7; this row, at 1.5: 5.25');
  expect(text[3]).toBe('feature 0  0 ▂▂▂ 2  1 to 1; this row, at 1.5: 1');
});

test('what shuffling costs, without a sum of what has none', () => {
  const values = Array.from({ length: 30 }, (_, at) => at);
  const importance = { loss: 0.5, values, standard_errors: values };
  const text = lines({ ...nothing(answer(values)), importance });
  expect(text[1]).toBe('loss 0.5; what it grows by when a feature is shuffled');
  expect(text[2]).toMatch(/^feature 29 .*\+29 {2}± 29$/);
  expect(text[26]).toBe('6 others are smaller');
});

test('measures have their errors', () => {
  const measure = { output: 'p', index: 1, at: [], curve: [] };
  const quality = [{ ...measure, name: 'infidelity', value: 0.25, standard_error: 0.01 }];
  expect(lines({ ...answer([1]), quality }).join('\n')).toContain('infidelity  0.25 ± 0.01 of p[1]');
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

test('a text has its words on colours, where there are any', () => {
  const one = toExplanation(answer([0.4, -0.2, 0.001], ['good', 'bad\u001b', 'so']), []);
  const colored = renderExplanation(one, { color: true, columns: 100 }, true).split('\n');
  expect(colored).toContain('\u001b[30;48;5;208mgood\u001b[0m \u001b[30;48;5;111mbad\\x1b\u001b[0m so');
  expect(renderExplanation(one, plain, true)).toBe(renderExplanation(one, plain));
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
