import type { VersionAnnouncement } from './messages';
import { standingVersion } from './standing-version';

function said(worker: string, state: VersionAnnouncement['state'], generation = 'g', since = 0): VersionAnnouncement {
  return { model: 'm', version: 1, worker, state, generation, reason: '', since };
}

/** The result, which must not depend on the order. */
function standing(...all: VersionAnnouncement[]): VersionAnnouncement | undefined {
  const result = standingVersion(all);
  expect(standingVersion(all.toReversed())).toBe(result);
  return result;
}

test('nobody speaks', () => expect(standing()).toBeUndefined());

test('what serves anywhere serves', () => {
  const ready = said('b', 'READY');
  expect(standing(said('a', 'UNAVAILABLE'), said('c', 'LOADING'), ready, said('d', 'UNLOADING'))).toBe(ready);
  const loading = said('b', 'LOADING');
  expect(standing(said('a', 'UNAVAILABLE'), loading, said('c', 'UNLOADING'))).toBe(loading);
});

test('of two contents those that were loaded last', () => {
  const fresh = said('b', 'READY', 'new', 20);
  expect(standing(said('a', 'READY', 'old', 10), fresh)).toBe(fresh);
});

test('a worker that comes back with the old contents does not bring them back', () => {
  const fresh = said('b', 'READY', 'new', 20);
  expect(standing(said('a', 'READY', 'old', 10), fresh, said('c', 'READY', 'old', 30))).toBe(fresh);
});
