import type { Catalog } from './catalog';

/** An entry of RepositoryIndexResponse; '' = the field is absent. */
export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

/**
 * What the repository holds, by name and version. A model that was never loaded shows its name only, one that cannot be
 * loaded also why; `readyOnly` leaves out all that does not serve.
 */
export function repositoryIndex(catalog: Catalog, readyOnly: boolean): IndexEntry[] {
  const index: IndexEntry[] = [];
  for (const [name, entry] of catalog.models()) {
    if (!readyOnly && (!entry.hasVersions || entry.reason)) {
      index.push({ name, version: '', state: entry.reason ? 'UNAVAILABLE' : '', reason: entry.reason ?? '' });
    }
    for (const { version, announcement } of entry.versions()) {
      if (readyOnly && announcement.state !== 'READY') continue;
      index.push({ name, version, state: announcement.state, reason: announcement.reason });
    }
  }
  return index;
}
