import { parseFlags } from '@shoal/config';
import { changesRules, editRules } from './edit-rules';
import type { Canary, Rules, Status } from './messages';
import { renderChanges } from './render-traffic';
import { trafficFlags } from './traffic-flags';

const none: Rules = { stable_version: '', canary: null, shadow: null };
const canary: Canary = {
  version: '2',
  percent: 10,
  header: { name: 'x-canary', values: ['1'] },
  sticky_header: 'x-user',
};

function edit(rules: Rules, line: string, ready = ['1', '2']): Rules {
  const options = parseFlags(trafficFlags, { argv: line.split(' '), env: {} });
  return editRules({ rules, status: { ready_versions: ready } as unknown as Status }, options);
}

test('a canary with everything, beside a stable version that is named by it as the canary is the latest', () => {
  const line = '--canary 2 --percent 10 --header X-Canary=1 --header x-canary=yes=no --sticky x-user';
  expect(edit(none, line)).toEqual({
    stable_version: '1',
    canary: {
      version: '2',
      percent: 10,
      header: { name: 'x-canary', values: ['1', 'yes=no'] },
      sticky_header: 'x-user',
    },
    shadow: null,
  });
});

test('the stable version is left alone when an older one is tried, when it is named, or when there is no other', () => {
  expect(edit(none, '--canary 1 --percent 5').stable_version).toBe('');
  expect(edit(none, '--shadow 2 --stable latest').stable_version).toBe('');
  expect(edit(none, '--shadow 3 --stable 2', ['1', '2', '3']).stable_version).toBe('2');
  expect(edit({ ...none, stable_version: '1' }, '--shadow 3', ['1', '2', '3']).stable_version).toBe('1');
  expect(edit(none, '--shadow 3', ['1', '2', '3']).stable_version).toBe('2');
  expect(edit(none, '--canary 2 --percent 1', ['2']).stable_version).toBe('');
});

test('what is not given stays; another version begins anew', () => {
  const rules = { ...none, stable_version: '1', canary };
  expect(edit(rules, '--percent 50').canary).toEqual({ ...canary, percent: 50 });
  expect(edit(rules, '--canary 2 --header x-test').canary).toEqual({
    ...canary,
    header: { name: 'x-test', values: [] },
  });
  expect(edit(rules, '--canary 3 --percent 1').canary).toEqual({
    version: '3',
    percent: 1,
    header: null,
    sticky_header: '',
  });
  expect(edit(rules, '--no-canary')).toEqual({ ...none, stable_version: '1' });
  expect(edit(rules, '--shadow 3 --absolute-tolerance 1e-3')).toEqual({
    ...rules,
    shadow: { version: '3', percent: 100, absolute_tolerance: 0.001, relative_tolerance: 0 },
  });
});

test.each([
  ['--percent 10', '--percent, --header and --sticky are about a version: name it with --canary=VERSION'],
  ['--canary 2', '--canary=2: for whom? Expected --percent, or --header, too'],
  ['--canary 2 --percent 101', '--percent=101: expected a number from 0 to 100'],
  ['--canary 2 --percent x', '--percent=x: expected a number from 0 to 100'],
  ['--canary 2 --header a=1 --header b=1', '--header=b: there is one header for a canary, which is a here'],
  ['--relative-tolerance 1', '--shadow-percent and the tolerances are about a version: name it with --shadow=VERSION'],
  ['--shadow 2 --absolute-tolerance -1', 'absolute-tolerance'],
])('%s', (line, text) => {
  expect(() => edit(none, line)).toThrow(text);
});

test('without any of them nothing is changed', () => {
  const given = (line: readonly string[]) => changesRules(parseFlags(trafficFlags, { argv: line, env: {} }));
  expect([given([]), given(['--clear']), given(['--header', 'a']), given(['--stable=1'])]).toEqual([
    false,
    true,
    true,
    true,
  ]);
});

test('changes are told side by side', () => {
  expect(renderChanges(none, { ...none, stable_version: '1', canary })).toBe(
    '  stable: latest -> version 1\n  canary: none -> version 2, 10 %, header x-canary=1, sticky by x-user',
  );
  expect(renderChanges(none, none)).toBe('');
});
