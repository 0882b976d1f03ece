import type { VersionAnnouncement } from './messages';

/** The more of it can be used, the higher. */
const rank = { UNAVAILABLE: 0, UNLOADING: 1, LOADING: 2, READY: 3 } as const;

/**
 * What holds of a model version of which several workers speak: it serves if it does so anywhere. While workers serve
 * different contents of it (a rollout), those hold that were loaded last, where a generation counts from its first worker: so
 * a worker that joins or restarts changes nothing. Every listener comes to the same result, whatever the order. Undefined when
 * nobody speaks.
 */
export function standingVersion(said: Iterable<VersionAnnouncement>): VersionAnnouncement | undefined {
  const firstOf = new Map<string, VersionAnnouncement>();
  for (const one of said) {
    const key = `${one.state} ${one.generation}`;
    const other = firstOf.get(key);
    if (other === undefined || isBefore(one, other)) firstOf.set(key, one);
  }
  let best: VersionAnnouncement | undefined;
  for (const one of firstOf.values()) if (best === undefined || standsOver(one, best)) best = one;
  return best;
}

function isBefore(one: VersionAnnouncement, other: VersionAnnouncement): boolean {
  const [a, b] = [one.since ?? 0, other.since ?? 0];
  return a < b || (a === b && (one.worker ?? '') < (other.worker ?? ''));
}

function standsOver(one: VersionAnnouncement, other: VersionAnnouncement): boolean {
  if (one.state !== other.state) return rank[one.state] > rank[other.state];
  const [a, b] = [one.since ?? 0, other.since ?? 0];
  return a > b || (a === b && one.generation > other.generation);
}
