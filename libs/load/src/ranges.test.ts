import { parseRange } from './ranges';

test.each([
  ['4', [4]],
  ['1:4', [1, 2, 3, 4]],
  ['1:16:5', [1, 6, 11, 16]],
  ['1:9:4', [1, 5, 9]],
  ['2:9:4', [2, 6]],
  ['1,16,64', [1, 16, 64]],
])('%s', (text, levels) => {
  expect(parseRange('concurrency-range', text, true)).toEqual(levels);
});

test('rates may be fractions, and rounding loses no level', () => {
  expect(parseRange('request-rate-range', '0.1:0.3:0.1', false)).toHaveLength(3);
  expect(parseRange('request-rate-range', '1.5', false)).toEqual([1.5]);
});

test.each([
  ['', 'positive integers'],
  ['0', 'positive integers'],
  ['1.5', 'positive integers'],
  ['1:2:3:4', 'START:END:STEP'],
  ['5:1', 'before its start'],
  ['1:10:-1', 'positive integers'],
  ['1:1000000', 'at most 1000'],
  ['1,,2', 'positive integers'],
  ['many', 'positive integers'],
])('%s is refused', (text, why) => {
  expect(() => parseRange('concurrency-range', text, true)).toThrow(why);
});
