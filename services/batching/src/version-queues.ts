import { type Bus, type StatisticsCall, type VersionAnnouncement, queueKey, versionsPrefix } from '@shoal/bus';
import type { ModelConfig } from '@shoal/protocol';

/** What follows from the announcements of model versions. */
export interface VersionEvents {
  /** A loading of a version comes up or is up. */
  open(version: VersionAnnouncement, config: ModelConfig): void;
  /** The version is gone: nobody will serve what waits in its queue. */
  gone(key: string): void;
}

/** Knows, from what each worker announces on the bus, which queues there should be. */
export class VersionQueues {
  readonly #events: VersionEvents;
  /** By its key on the bus: what a worker announced last of a model version. */
  readonly #announced = new Map<string, VersionAnnouncement>();
  readonly #opened = new Set<string>();
  /** Queues that a worker left to others. */
  readonly #left = new Set<string>();
  readonly #unwatch: () => void;
  #closed = false;

  constructor(bus: Bus, events: VersionEvents) {
    this.#events = events;
    this.#unwatch = bus.watch<VersionAnnouncement>(versionsPrefix, (key, version) => this.#changed(key, version));
  }

  /** The READY versions that a call for statistics asks for, each queue once, ordered by model and version. */
  asked(call: StatisticsCall): VersionAnnouncement[] {
    const ready = [...this.#announced.values()]
      .filter(({ state }) => state === 'READY')
      .filter(({ model }) => call.model === '' || call.model === model)
      .filter(({ version }) => call.version === '' || call.version === String(version));
    const byQueue = new Map(ready.map((version) => [queueKey(version), version]));
    return [...byQueue.values()].toSorted((a, b) =>
      a.model === b.model ? a.version - b.version : a.model < b.model ? -1 : 1,
    );
  }

  /** Whether a queue that `worker` serves no more is to end: not while others serve it. */
  mayRetire(queue: string, worker: string | undefined): boolean {
    if (
      worker === undefined ||
      !this.#serves(queue, ({ worker: other, state }) => other !== worker && state !== 'UNLOADING')
    )
      return true;
    this.#left.add(queue);
    return false;
  }

  /** A queue that was retired is over. What was loaded again meanwhile has a new one. */
  drained(queue: string): void {
    this.#opened.delete(queue);
    if (this.#closed) return;
    for (const version of this.#announced.values()) if (queueKey(version) === queue) this.#open(version);
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
  }

  #changed(key: string, version: VersionAnnouncement | undefined): void {
    const before = this.#announced.get(key);
    if (version === undefined) this.#announced.delete(key);
    else {
      this.#announced.set(key, version);
      this.#open(version);
    }
    const ended = version === undefined || version.state === 'UNAVAILABLE';
    for (const queue of new Set([before, version].flatMap((one) => (one ? [queueKey(one)] : [])))) {
      if (this.#serves(queue, () => true)) continue;
      // After a reload the old generation is drained by a call of its own, unless its worker left it to others.
      if (!ended && !this.#left.has(queue)) continue;
      this.#left.delete(queue);
      this.#opened.delete(queue);
      this.#events.gone(queue);
    }
  }

  #open(version: VersionAnnouncement): void {
    if (version.state !== 'LOADING' && version.state !== 'READY') return;
    const queue = queueKey(version);
    if (version.config === undefined || this.#opened.has(queue)) return;
    this.#opened.add(queue);
    this.#events.open(version, version.config);
  }

  /** Whether a worker that is `meant` serves the queue, or still has it to finish. */
  #serves(queue: string, meant: (version: VersionAnnouncement) => boolean): boolean {
    for (const version of this.#announced.values()) {
      if (version.state !== 'UNAVAILABLE' && meant(version) && queueKey(version) === queue) return true;
    }
    return false;
  }
}
