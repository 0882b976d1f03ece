import {
  type Bus,
  type ModelAnnouncement,
  type VersionAnnouncement,
  leavingReason,
  modelsPrefix,
  standingVersion,
  unloadedReason,
  versionsPrefix,
} from '@shoal/bus';
import type { CancelTimer, Clock } from '@shoal/core';
import { errorTexts, parseModelVersion } from '@shoal/protocol';
import { ModelEntry } from './model-entry';
import { VersionEntry, missedReason } from './version-entry';

/** How long a version that nobody serves any more is missed before it is forgotten. */
const missedMs = 10 * 60_000;

/** What the cluster has announced of models and their versions, for look-up by requests. */
export class Catalog {
  readonly #models = new Map<string, ModelEntry>();
  /** What each worker says, by key on the bus. */
  readonly #modelsSaid = new Map<string, ModelAnnouncement>();
  readonly #versionsSaid = new Map<string, VersionAnnouncement>();
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: readonly (() => void)[];
  readonly #clock: Clock;
  /** By MODEL/VERSION: the end of one that is missed. */
  readonly #forgetting = new Map<string, CancelTimer>();

  constructor(bus: Bus, clock: Clock) {
    this.#clock = clock;
    this.#unwatch = [
      bus.watch<ModelAnnouncement>(modelsPrefix, (key, value) => this.#modelAnnounced(key, value)),
      bus.watch<VersionAnnouncement>(versionsPrefix, (key, value) => this.#versionAnnounced(key, value)),
    ];
  }

  close(): void {
    for (const unwatch of this.#unwatch) unwatch();
    this.#listeners.clear();
    for (const cancel of this.#forgetting.values()) cancel();
    this.#forgetting.clear();
  }

  /** No model is known. */
  get empty(): boolean {
    return this.#models.size === 0;
  }

  /** Calls `changed` after each change; returns what stops that. */
  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /**
   * The ready version that a request means: the one it names, else the latest.
   * @throws ShoalError NOT_FOUND, UNAVAILABLE or (for a version that is no number) INVALID_ARGUMENT, in Triton's words.
   */
  resolve(model: string, versionText: string): VersionEntry {
    const version = parseModelVersion(versionText);
    const entry = this.#models.get(model);
    if (!entry?.hasVersions) throw errorTexts.unknownModel(model);
    if (version === undefined) {
      if (!entry.latest) throw entry.missed ? errorTexts.unserved(model) : errorTexts.noAvailableVersions(model);
      return entry.latest;
    }
    const named = entry.version(version);
    if (!named) throw errorTexts.unknownVersion(model, version);
    if (!named.ready) throw errorTexts.versionNotReady(model, version);
    return named;
  }

  /** Like `resolve`, but undefined for what is unknown or not ready. @throws ShoalError INVALID_ARGUMENT as `resolve`. */
  find(model: string, versionText: string): VersionEntry | undefined {
    const version = parseModelVersion(versionText);
    const entry = this.#models.get(model);
    const found = version === undefined ? entry?.latest : entry?.version(version);
    return found?.ready ? found : undefined;
  }

  /** What is known of a model, if anything. */
  entry(model: string): ModelEntry | undefined {
    return this.#models.get(model);
  }

  /** What each worker says of the versions of a model. */
  versionsSaid(model: string): VersionAnnouncement[] {
    return [...this.#versionsSaid.values()].filter((one) => one.model === model);
  }

  /** All models by name. */
  models(): [name: string, entry: ModelEntry][] {
    return [...this.#models].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The versions of a model that are ready, by ascending number. */
  readyVersions(model: string): VersionEntry[] {
    return (this.#models.get(model)?.versions() ?? []).filter((version) => version.ready);
  }

  /**
   * No model is broken, loading or failed. One that was unloaded on purpose, never loaded, or is broken without anybody
   * having asked for it does not count: nobody was promised it.
   */
  allReady(): boolean {
    for (const entry of this.#models.values()) {
      if (entry.reason && entry.wanted) return false;
      for (const { announcement } of entry.versions()) {
        const unloaded = announcement.state === 'UNAVAILABLE' && announcement.reason === unloadedReason;
        if (announcement.state !== 'READY' && !unloaded) return false;
      }
    }
    return true;
  }

  /** At least one version serves. */
  someReady(): boolean {
    for (const entry of this.#models.values()) if (entry.latest) return true;
    return false;
  }

  #modelAnnounced(key: string, value: ModelAnnouncement | undefined): void {
    const model = (value ?? this.#modelsSaid.get(key))?.model;
    if (model === undefined) return;
    if (value) this.#modelsSaid.set(key, value);
    else this.#modelsSaid.delete(key);
    const said = [...this.#modelsSaid.values()].filter((one) => one.model === model);
    // What one worker can load can be loaded.
    const usable = said.find(({ reason }) => reason === '') ?? said[0];
    this.#change(model, (entry) => {
      entry.reason = usable?.reason;
      entry.wanted = said.some(({ wanted }) => wanted);
    });
  }

  #versionAnnounced(key: string, value: VersionAnnouncement | undefined): void {
    const before = this.#versionsSaid.get(key);
    const about = value ?? before;
    if (about === undefined) return;
    if (value) this.#versionsSaid.set(key, value);
    else this.#versionsSaid.delete(key);
    const { model, version } = about;
    this.#forgetting.get(`${model}/${version}`)?.();
    this.#forgetting.delete(`${model}/${version}`);
    const of = [...this.#versionsSaid.values()].filter((one) => one.model === model && one.version === version);
    const standing = standingVersion(of);
    if (standing || !before) this.#set(model, version, standing);
    else this.#lost(before);
  }

  /**
   * The last worker that spoke of a version is heard no more. One that served is missed for a while, and requests for it are
   * told to come again; one that was unloaded is forgotten.
   */
  #lost({ model, version, generation, worker, state, reason }: VersionAnnouncement): void {
    const unloaded = state === 'UNAVAILABLE' || (state === 'UNLOADING' && reason !== leavingReason);
    if (worker === undefined || unloaded) return this.#set(model, version, undefined);
    this.#set(model, version, { model, version, generation, state: 'UNAVAILABLE', reason: missedReason });
    const forget = () => {
      this.#forgetting.delete(`${model}/${version}`);
      this.#set(model, version, undefined);
    };
    this.#forgetting.set(`${model}/${version}`, this.#clock.schedule(missedMs, forget));
  }

  #set(model: string, version: number, standing: VersionAnnouncement | undefined): void {
    this.#change(model, (entry) => {
      const known = entry.version(String(version));
      // Another worker that serves the same changes nothing, and what was compiled stays.
      if (known && standing && isSame(known.announcement, standing)) return;
      entry.set(String(version), standing && new VersionEntry(standing, known));
    });
  }

  #change(model: string, apply: (entry: ModelEntry) => void): void {
    const entry = this.#models.get(model) ?? new ModelEntry();
    apply(entry);
    if (entry.empty) this.#models.delete(model);
    else this.#models.set(model, entry);
    for (const listener of this.#listeners) listener();
  }
}

function isSame(a: VersionAnnouncement, b: VersionAnnouncement): boolean {
  return a.generation === b.generation && a.state === b.state && a.reason === b.reason && !a.config === !b.config;
}
