import {
  type Bus,
  type ModelAnnouncement,
  type RunnerAnnouncement,
  type VersionAnnouncement,
  modelsPrefix,
  queueKey,
  runnersPrefix,
  versionsPrefix,
} from '@shoal/bus';
import { type ModelLine, modelLines } from './model-table';

/** Follows what is announced of models, versions and runners. */
export class Inventory {
  readonly #models = new Map<string, ModelAnnouncement>();
  readonly #versions = new Map<string, VersionAnnouncement>();
  readonly #runners = new Map<string, RunnerAnnouncement>();

  readonly #wanted: readonly string[];

  /** `wanted`: models to be told of even when the repository does not hold them; `worker`: whose announcements count. */
  constructor(bus: Bus, wanted: readonly string[], worker: string) {
    const own = (value: { readonly worker?: string } | undefined) => value === undefined || value.worker === worker;
    this.#wanted = wanted;
    bus.watch<ModelAnnouncement>(modelsPrefix, (key, value) => {
      if (own(value)) put(this.#models, key, value);
    });
    bus.watch<VersionAnnouncement>(versionsPrefix, (key, value) => {
      if (own(value)) put(this.#versions, key, value);
    });
    bus.watch<RunnerAnnouncement>(runnersPrefix, (key, value) => {
      if (own(value)) put(this.#runners, key, value);
    });
  }

  lines(): ModelLine[] {
    const devices = new Map<string, string[]>();
    for (const runner of this.#runners.values()) {
      const queue = queueKey(runner);
      devices.set(queue, [...(devices.get(queue) ?? []), runner.device]);
    }
    return modelLines([...this.#models.values(), ...this.#missing()], [...this.#versions.values()], devices);
  }

  /** How many of the models and versions that were asked for could not be loaded. */
  failed(): number {
    const broken = [...this.#models.values(), ...this.#missing()].filter(
      ({ reason, wanted }) => wanted && reason !== '',
    );
    return broken.length + [...this.#versions.values()].filter(({ state }) => state === 'UNAVAILABLE').length;
  }

  #missing(): ModelAnnouncement[] {
    const known = new Set([...this.#versions.values(), ...this.#models.values()].map(({ model }) => model));
    const missing = this.#wanted.filter((model) => !known.has(model));
    return missing.map((model) => ({ model, reason: 'no such model in the repository', wanted: true }));
  }
}

function put<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
