import { promoted, rolledBack, withRules } from './change-state';
import { noRules } from './traffic-rules';

const author = { by: 'ann', epochMs: 7 };
const rules = { stable: '1', canary: { version: '2', percent: 10 } };
const shadow = (version: string) => ({ version, percent: 100, tolerance: { absolute: 0, relative: 0 } });

test('before the first rules there were none: a rollback goes back to the latest version', () => {
  const state = withRules('m', undefined, rules, author);
  expect(state).toEqual({
    model: 'm',
    rules,
    changed: { action: 'set', ...author },
    previous: { rules: noRules },
  });
  expect(rolledBack('m', state, author)).toMatchObject({ rules: noRules, changed: { action: 'rollback' } });
});

test('a promotion makes the canary stable, and rolled back it is a canary again, and once more is stable', () => {
  const set = withRules('m', undefined, rules, author);
  const done = promoted('m', set, author);
  expect(done).toMatchObject({ rules: { stable: '2' }, changed: { action: 'promote' }, previous: { rules } });
  expect(done.rules).toEqual({ stable: '2' });
  const back = rolledBack('m', done, author);
  expect(back.rules).toEqual(rules);
  expect(rolledBack('m', back, author).rules).toEqual({ stable: '2' });
});

test('a shadow goes on after a promotion, unless it is what was promoted', () => {
  const other = withRules('m', undefined, { ...rules, shadow: shadow('3') }, author);
  expect(promoted('m', other, author).rules).toEqual({ stable: '2', shadow: shadow('3') });
  const same = withRules('m', undefined, { ...rules, shadow: shadow('2') }, author);
  expect(promoted('m', same, author).rules).toEqual({ stable: '2' });
});

test('without a canary nothing is promoted, without rules nothing rolled back', () => {
  const failed = expect.objectContaining({ code: 'FAILED_PRECONDITION' });
  expect(() => promoted('m', undefined, author)).toThrow(failed);
  expect(() => promoted('m', withRules('m', undefined, { stable: '1' }, author), author)).toThrow(failed);
  expect(() => rolledBack('m', undefined, author)).toThrow(failed);
});
