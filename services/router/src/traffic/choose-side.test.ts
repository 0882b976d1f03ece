import { seededRandom } from '@shoal/core';
import { chooseSide, stickyShare } from './choose-side';
import type { CanaryRule } from './traffic-rules';

const draws = 20_000;

function headers(values: Readonly<Record<string, string>> = {}) {
  return { header: (name: string) => values[name] };
}

function rules(canary: Partial<CanaryRule> = {}) {
  return { stable: '1', canary: { version: '2', percent: 10, ...canary } };
}

/** How many of `draws` requests the canary gets, in percent. */
function canaryPercent(canary: Partial<CanaryRule>, headersOf: (i: number) => Record<string, string> = () => ({})) {
  const random = seededRandom(17);
  let count = 0;
  for (let i = 0; i < draws; i += 1) {
    if (chooseSide('m', rules(canary), headers(headersOf(i)), random) === 'canary') count += 1;
  }
  return (count * 100) / draws;
}

test.each([0.5, 10, 50, 90])('%d percent by lot', (percent) => {
  // Five standard deviations of 20,000 draws are less than two percent.
  expect(Math.abs(canaryPercent({ percent }) - percent)).toBeLessThan(percent < 1 ? 0.3 : 2);
});

test('0 and 100 percent are exact, and without a canary all is stable', () => {
  expect([canaryPercent({ percent: 0 }), canaryPercent({ percent: 100 })]).toEqual([0, 100]);
  expect(chooseSide('m', { stable: '1' }, headers(), seededRandom(1))).toBe('stable');
});

test('a header decides before the percentage: by its value, or by being there', () => {
  const random = seededRandom(1);
  const one = rules({ percent: 0, header: { name: 'x-canary', values: ['1', 'yes'] } });
  const any = rules({ percent: 0, header: { name: 'x-canary', values: [] } });
  const side = (set: typeof one, value?: string) =>
    chooseSide('m', set, headers(value === undefined ? {} : { 'x-canary': value }), random);
  expect(['1', 'yes', '0', undefined].map((value) => side(one, value))).toEqual([
    'canary',
    'canary',
    'stable',
    'stable',
  ]);
  expect(['1', '', undefined].map((value) => side(any, value))).toEqual(['canary', 'canary', 'stable']);
});

test('a sticky key decides alone, spreads evenly, and requests without it are drawn', () => {
  const sticky = 'x-user';
  const percent = canaryPercent({ percent: 30, sticky }, (i) => ({ 'x-user': `user-${i}` }));
  expect(Math.abs(percent - 30)).toBeLessThan(2);
  expect([0, 100]).toContain(canaryPercent({ percent: 30, sticky }, () => ({ 'x-user': 'ann' })));
  expect(Math.abs(canaryPercent({ percent: 30, sticky }) - 30)).toBeLessThan(2);
});

test('who is with the canary stays there while its share grows', () => {
  const users = Array.from({ length: 500 }, (_, i) => ({ 'x-user': `u${i}` }));
  const at = (percent: number) =>
    users.filter(
      (user) => chooseSide('m', rules({ percent, sticky: 'x-user' }), headers(user), seededRandom(1)) === 'canary',
    );
  const [few, more] = [at(10), at(40)];
  expect(few.length).toBeGreaterThan(0);
  expect(more.length).toBeGreaterThan(few.length);
  expect(more).toEqual(expect.arrayContaining(few));
});

// Computed by a program of its own, in another language.
test('sticky places are the same in every release, and differ between models', () => {
  const place = (model: string, key: string) => stickyShare(model, key).toFixed(9);
  expect([place('m', 'ann'), place('m', 'bob'), place('m', ''), place('n', 'ann'), place('ma', 'nn')]).toEqual([
    '0.288246227',
    '0.329380356',
    '0.269869462',
    '0.620138979',
    '0.938210244',
  ]);
});
