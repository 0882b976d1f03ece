import * as fc from 'fast-check';
import { diffRepositories, type ModelSnapshot, type RepositorySnapshot, settleSnapshot } from './diff';

const model = (config: string, versions: Record<number, string>, reason = ''): ModelSnapshot => ({
  config,
  versions: new Map(Object.entries(versions).map(([version, digest]) => [Number(version), digest])),
  reason,
});
const of = (models: Record<string, ModelSnapshot>): RepositorySnapshot => new Map(Object.entries(models));
const nothing = { added: [], changed: [], removed: [] };

describe('diffRepositories', () => {
  const before = of({ m: model('c', { 1: 'a', 2: 'b' }) });

  test.each([
    ['nothing', model('c', { 1: 'a', 2: 'b' }), undefined],
    ['a version more', model('c', { 1: 'a', 2: 'b', 3: 'x' }), { load: [3], reload: [], unload: [] }],
    ['a version less', model('c', { 2: 'b' }), { load: [], reload: [], unload: [1] }],
    ['the next of latest 1', model('c', { 3: 'x' }), { load: [3], reload: [], unload: [1, 2] }],
    ["a version's files", model('c', { 1: 'a', 2: 'x' }), { load: [], reload: [2], unload: [] }],
    ['the config', model('x', { 1: 'a', 2: 'b' }), { load: [], reload: [1, 2], unload: [] }],
    ['config and versions', model('x', { 2: 'b', 3: 'x' }), { load: [3], reload: [2], unload: [1] }],
  ])('what changed is %s', (_, after, change) => {
    const expected = change === undefined ? [] : [{ model: 'm', reason: '', ...change }];
    expect(diffRepositories(before, of({ m: after }))).toEqual({ ...nothing, changed: expected });
  });

  test('models come and go', () => {
    const [m, n] = [model('c', { 1: 'a' }), model('c', { 1: 'a' })];
    expect(diffRepositories(of({ m }), of({ n, a: n }))).toEqual({ ...nothing, added: ['a', 'n'], removed: ['m'] });
  });

  test('a model that becomes unreadable keeps what it serves, is told of once, and is reloaded when mended', () => {
    const broken = of({ m: model('x', {}, 'no good') });
    const told = diffRepositories(before, broken);
    expect(told.changed).toEqual([{ model: 'm', load: [], reload: [], unload: [], reason: 'no good' }]);
    const settled = settleSnapshot(before, broken);
    expect(diffRepositories(settled, broken)).toEqual(nothing);
    const mended = of({ m: model('y', { 2: 'b', 3: 'c' }) });
    expect(diffRepositories(settled, mended).changed).toEqual([
      { model: 'm', load: [3], reload: [2], unload: [1], reason: '' },
    ]);
  });

  const digest = fc.constantFrom('a', 'b', 'c');
  const anyModel = fc.record({
    config: digest,
    versions: fc
      .dictionary(fc.constantFrom('1', '2', '3'), digest)
      .map((found) => new Map(Object.entries(found).map(([version, print]) => [Number(version), print]))),
    reason: fc.constantFrom('', '', 'bad'),
  });
  const anyRepository = fc.dictionary(fc.constantFrom('m', 'n', 'o'), anyModel).map((models): RepositorySnapshot => {
    const cleaned = Object.entries(models).map(
      ([name, found]) => [name, found.reason === '' ? found : { ...found, versions: new Map() }] as const,
    );
    return new Map(cleaned);
  });

  test('acting on the diffs of any history serves what the last readable states ask for', () => {
    fc.assert(
      fc.property(fc.array(anyRepository, { minLength: 1, maxLength: 8 }), (history) => {
        let settled: RepositorySnapshot = new Map();
        const served = new Map<string, Set<number>>();
        const expected = new Map<string, Set<number>>();
        for (const now of history) {
          const diff = diffRepositories(settled, now);
          for (const name of diff.removed) served.delete(name);
          for (const name of diff.added) served.set(name, new Set(now.get(name)?.versions.keys()));
          for (const change of diff.changed) {
            const versions = served.get(change.model) ?? new Set();
            for (const version of change.unload) expect(versions.delete(version)).toBe(true);
            for (const version of change.reload) expect(versions.has(version)).toBe(true);
            for (const version of change.load) versions.add(version);
          }
          for (const name of expected.keys()) if (!now.has(name)) expected.delete(name);
          for (const [name, found] of now) {
            if (found.reason === '') expected.set(name, new Set(found.versions.keys()));
            else if (!expected.has(name)) expected.set(name, new Set());
          }
          expect(served).toEqual(expected);
          settled = settleSnapshot(settled, now);
          expect(diffRepositories(settled, now)).toEqual(nothing);
        }
      }),
      { numRuns: 500, seed: 11 },
    );
  });
});
