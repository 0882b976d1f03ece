import * as fc from 'fast-check';
import { ModelNames } from './model-names';

test.each([
  [['simple'], 'simple', true],
  [['simple'], 'simple2', false],
  [['resnet*'], 'resnet', true],
  [['resnet*'], 'my-resnet', false],
  [['*-v2'], 'a-v2', true],
  [['*-v2'], '-v2x', false],
  [['a*b*a'], 'aba', true],
  [['a*b*a'], 'aa', false],
  [['a*a'], 'a', false],
  [['a.c'], 'abc', false],
  [['x', 'y*'], 'yes', true],
  [[], 'x', false],
  [['*'], '', true],
  [['**'], 'any', true],
] as const)('%j and %j: %s', (patterns, name, expected) => {
  expect(new ModelNames(patterns).has(name)).toBe(expected);
});

test('as a regular expression with .* for each star would say', () => {
  const letters = fc.stringMatching(/^[ab]{0,6}$/);
  fc.assert(
    fc.property(fc.stringMatching(/^[ab*]{1,6}$/), letters, (pattern, name) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name);
      expect(new ModelNames([pattern]).has(name)).toBe(expected);
    }),
  );
});
