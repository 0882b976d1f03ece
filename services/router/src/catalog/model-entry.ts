import type { VersionEntry } from './version-entry';

/** What is known of one model: that the repository holds it, and the versions that were ever loaded. */
export class ModelEntry {
  /** Why it cannot be loaded at all; '' when it can. Undefined: the repository does not (or no longer) hold it. */
  reason: string | undefined;
  /** Somebody asked for it, so that it counts when it cannot be loaded. */
  wanted = false;
  readonly #versions = new Map<string, VersionEntry>();
  #latest: VersionEntry | undefined;

  /** The ready version with the highest number. */
  get latest(): VersionEntry | undefined {
    return this.#latest;
  }

  /** A version of it is missed. */
  get missed(): boolean {
    return this.versions().some(({ missed }) => missed);
  }

  get hasVersions(): boolean {
    return this.#versions.size > 0;
  }

  /** Nothing is known of it any more. */
  get empty(): boolean {
    return this.reason === undefined && this.#versions.size === 0;
  }

  version(version: string): VersionEntry | undefined {
    return this.#versions.get(version);
  }

  /** By ascending number. */
  versions(): VersionEntry[] {
    return [...this.#versions.values()].sort((a, b) => a.announcement.version - b.announcement.version);
  }

  set(version: string, entry: VersionEntry | undefined): void {
    if (entry) this.#versions.set(version, entry);
    else this.#versions.delete(version);
    this.#latest = this.versions().findLast((candidate) => candidate.ready);
  }
}
