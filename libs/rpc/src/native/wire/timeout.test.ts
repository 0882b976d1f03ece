import { formatTimeout, parseTimeout } from './timeout';

test.each([
  ['1S', 1000],
  ['250m', 250],
  ['2H', 7_200_000],
  ['3M', 180_000],
  ['500u', 0.5],
  ['1n', 1e-6],
  ['0m', 0],
  ['99999999S', Infinity],
  ['99999999H', Infinity],
])('%s is read', (header, ms) => expect(parseTimeout(header)).toBeCloseTo(ms, 9));

test.each(['', 'S', '1', '1s', '-1S', '1.5S', '123456789S', ' 1S', '1S '])('%j is no timeout', (header) =>
  expect(parseTimeout(header)).toBeNaN(),
);

test.each([
  [0, '0m'],
  [-5, '0m'],
  [0.2, '1m'],
  [99_999_999, '99999999m'],
  [100_000_000, '100000S'],
  [100_000_001, '100001S'],
  [1e11, '1666667M'],
  [1e15, '99999999H'],
])('%d ms is written', (ms, header) => expect(formatTimeout(ms)).toBe(header));
