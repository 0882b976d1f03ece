/** What counts for reloading of one model at one moment. */
export interface ModelSnapshot {
  /** Digest of the config and all else that belongs to every version. */
  readonly config: string;
  /** Digests of the versions that the version policy asks for. */
  readonly versions: ReadonlyMap<number, string>;
  /** Why the model is refused; '' if it is not. */
  readonly reason: string;
}

/** A repository at one moment, by model name. */
export type RepositorySnapshot = ReadonlyMap<string, ModelSnapshot>;

/** What to do about one model; all three lists ascending, and disjoint. */
export interface ModelChange {
  readonly model: string;
  /** Versions to load that were not asked for before. */
  readonly load: readonly number[];
  /** Versions whose files, or whose model's config, changed. */
  readonly reload: readonly number[];
  /** Versions that are gone or no longer asked for. */
  readonly unload: readonly number[];
  /** Not '': the model has become unreadable; what it serves goes on serving, and this is to be told. */
  readonly reason: string;
}

/** What happened between two snapshots; names in order. */
export interface RepositoryDiff {
  readonly added: readonly string[];
  readonly changed: readonly ModelChange[];
  readonly removed: readonly string[];
}

/** Compares two snapshots: pure, and empty if and only if nothing is to be done or told. */
export function diffRepositories(before: RepositorySnapshot, after: RepositorySnapshot): RepositoryDiff {
  const names = [...after.keys()].sort();
  const changed: ModelChange[] = [];
  for (const model of names) {
    const [was, is] = [before.get(model), after.get(model)];
    const change = was && is && diffModel(model, was, is);
    if (change) changed.push(change);
  }
  return {
    added: names.filter((name) => !before.has(name)),
    changed,
    removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
  };
}

/**
 * The snapshot to compare the next one with, once the diff from `before` to `after` was acted on: as `after`, but a model
 * that has become unreadable still has the versions it had.
 */
export function settleSnapshot(before: RepositorySnapshot, after: RepositorySnapshot): RepositorySnapshot {
  return new Map(
    [...after].map(([model, is]) => {
      const was = before.get(model);
      return [model, is.reason !== '' && was ? { ...is, versions: was.versions } : is];
    }),
  );
}

function diffModel(model: string, was: ModelSnapshot, is: ModelSnapshot): ModelChange | undefined {
  if (is.reason !== '') {
    const known = was.reason === is.reason && was.config === is.config;
    return known ? undefined : { model, load: [], reload: [], unload: [], reason: is.reason };
  }
  const configChanged = was.config !== is.config || was.reason !== '';
  const versions = [...is.versions.keys()].sort((a, b) => a - b);
  const load = versions.filter((version) => !was.versions.has(version));
  const reload = versions.filter(
    (version) => was.versions.has(version) && (configChanged || was.versions.get(version) !== is.versions.get(version)),
  );
  const unload = [...was.versions.keys()].filter((version) => !is.versions.has(version)).sort((a, b) => a - b);
  if (load.length + reload.length + unload.length === 0) return undefined;
  return { model, load, reload, unload, reason: '' };
}
