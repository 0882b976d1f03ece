import { ShoalError } from '@shoal/core';
import { parseModelVersion } from './model-version';

test.each([
  ['', undefined],
  ['1', '1'],
  ['1.5x', '1'],
  [' \t+007', '7'],
  ['0', '0'],
  ['-5', '-5'],
  ['-1', undefined],
  ['9223372036854775807', '9223372036854775807'],
])('%j is %s', (text, version) => {
  expect(parseModelVersion(text)).toBe(version);
});

test.each(['x', 'v1', ' ', '-', '+-1', '9223372036854775808', '-9223372036854775809', '9'.repeat(1000000)])(
  'refuses what is no 64-bit number',
  (text) => {
    expect(() => parseModelVersion(text)).toThrow(ShoalError);
  },
);

test('a version string of any length is cut in the text', () => {
  expect(() => parseModelVersion('x'.repeat(100000))).toThrow(/^.{300,500}$/);
});
