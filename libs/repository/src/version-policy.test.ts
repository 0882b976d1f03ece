import * as fc from 'fast-check';
import { missingVersions, versionOf, versionsToLoad } from './version-policy';

describe('versionOf', () => {
  test.each(['1', '7', '20260101', '9007199254740991'])('%s is a version', (folder) => {
    expect(versionOf(folder)).toBe(Number(folder));
  });

  test.each(['0', '01', '-1', '+1', '1.0', '1a', 'a1', ' 1', '', '1e3', '9007199254740992', 'latest'])(
    '"%s" is none',
    (folder) => {
      expect(versionOf(folder)).toBeUndefined();
    },
  );
});

describe('versionsToLoad', () => {
  const present = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 12 });

  test('latest n: the n highest, which is 1 by default', () => {
    fc.assert(
      fc.property(present, fc.nat(14), (versions, count) => {
        const loaded = versionsToLoad({ latest: { num_versions: count }, policy_choice: 'latest' }, versions);
        expect(loaded).toHaveLength(Math.min(count, versions.length));
        const left = versions.filter((version) => !loaded.includes(version));
        expect(Math.max(0, ...left)).toBeLessThan(Math.min(Infinity, ...loaded));
        expect(versionsToLoad(null, versions)).toEqual(versionsToLoad({ latest: { num_versions: 1 } }, versions));
      }),
      { seed: 4 },
    );
  });

  test('all and specific: ascending, and only what is there', () => {
    fc.assert(
      fc.property(present, present, (versions, wanted) => {
        const ascending = [...versions].sort((a, b) => a - b);
        expect(versionsToLoad({ all: {} }, versions)).toEqual(ascending);
        const specific = { specific: { versions: wanted } };
        const loaded = versionsToLoad(specific, versions);
        expect(loaded).toEqual(ascending.filter((version) => wanted.includes(version)));
        const told = [...loaded, ...missingVersions(specific, versions)].sort((a, b) => a - b);
        expect(told).toEqual([...wanted].sort((a, b) => a - b));
      }),
      { seed: 4 },
    );
  });

  test('a version named twice is loaded once', () => {
    expect(versionsToLoad({ specific: { versions: [3, 3, 1] } }, [1, 2, 3])).toEqual([1, 3]);
  });
});
