/** A loaded version of a model, by name. */
export interface VersionName {
  readonly model: string;
  readonly version: string;
}

/** Versions that serve no more whose numbers are kept: one that comes back goes on counting where it was. */
const keptVersions = 64;

/**
 * What is measured of each version of each model. It goes on over reloads, where a version is loaded anew before the loading before
 * ends, and is shown no more once many others have gone after it: names of models come and go, and would fill the memory.
 */
export class VersionSets<Meters> {
  readonly #make: (version: VersionName) => Meters;
  readonly #drop: (version: VersionName) => void;
  readonly #sets = new Map<string, { readonly name: VersionName; readonly meters: Meters; users: number }>();
  /** Keys without users, the one that has been for longest first. */
  readonly #unused = new Set<string>();

  constructor(make: (version: VersionName) => Meters, drop: (version: VersionName) => void) {
    this.#make = make;
    this.#drop = drop;
  }

  /** Follows each time that the version is loaded; `release` ends it. */
  acquire(name: VersionName): Meters {
    const key = keyOf(name);
    const set = this.#sets.get(key) ?? { name, meters: this.#make(name), users: 0 };
    set.users += 1;
    this.#sets.set(key, set);
    this.#unused.delete(key);
    return set.meters;
  }

  release(name: VersionName): void {
    const key = keyOf(name);
    const set = this.#sets.get(key);
    if (set === undefined) return;
    set.users -= 1;
    if (set.users > 0) return;
    this.#unused.add(key);
    const [oldest] = this.#unused;
    if (this.#unused.size <= keptVersions || oldest === undefined) return;
    const gone = this.#sets.get(oldest);
    this.#unused.delete(oldest);
    this.#sets.delete(oldest);
    if (gone !== undefined) this.#drop(gone.name);
  }
}

function keyOf({ model, version }: VersionName): string {
  return `${model}/${version}`;
}
