import { type Bus, type StatisticsCall, type VersionAnnouncement, queueKey, versionsPrefix } from '@shoal/bus';
import type { ModelConfig } from '@shoal/protocol';

/** What follows from the announcements of model versions. */
export interface VersionEvents {
  /** A loading of a version comes up or is up: told once each. */
  open(version: VersionAnnouncement, config: ModelConfig): void;
  /** The version is gone: nobody will serve what waits in its queue. */
  gone(key: string): void;
}

/** Knows, from the bus, which queues there should be. */
export class VersionQueues {
  readonly #events: VersionEvents;
  /** By its key on the bus: what was announced last of each model version, and the generation last opened. */
  readonly #announced = new Map<string, VersionAnnouncement>();
  readonly #opened = new Map<string, string>();
  readonly #unwatch: () => void;

  constructor(bus: Bus, events: VersionEvents) {
    this.#events = events;
    this.#unwatch = bus.watch<VersionAnnouncement>(versionsPrefix, (key, version) => this.#changed(key, version));
  }

  /** The READY versions that a call for statistics asks for, ordered by model and version. */
  asked(call: StatisticsCall): VersionAnnouncement[] {
    return [...this.#announced.values()]
      .filter(({ state }) => state === 'READY')
      .filter(({ model }) => call.model === '' || call.model === model)
      .filter(({ version }) => call.version === '' || call.version === String(version))
      .toSorted((a, b) => (a.model === b.model ? a.version - b.version : a.model < b.model ? -1 : 1));
  }

  close(): void {
    this.#unwatch();
  }

  #changed(key: string, version: VersionAnnouncement | undefined): void {
    const before = this.#announced.get(key);
    if (version === undefined) {
      this.#announced.delete(key);
      this.#opened.delete(key);
      if (before !== undefined) this.#events.gone(queueKey(before));
      return;
    }
    this.#announced.set(key, version);
    // After a reload the old generation is drained by a call of its own: only the version's end ends a queue from here.
    if (version.state === 'UNAVAILABLE') this.#events.gone(queueKey(version));
    if (version.state !== 'LOADING' && version.state !== 'READY') return;
    if (version.config === undefined || this.#opened.get(key) === version.generation) return;
    this.#opened.set(key, version.generation);
    this.#events.open(version, version.config);
  }
}
