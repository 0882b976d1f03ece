import {
  type ModelAnnouncement,
  type ModelKey,
  type VersionAnnouncement,
  modelsPrefix,
  versionsPrefix,
} from '@shoal/bus';
import type { Bus } from '@shoal/bus';
import type { Clock } from '@shoal/core';
import type { Generation } from '../supervisor/generation';
import type { WorkerContext } from '../worker-context';

/** Says on the bus what this worker knows of models and their versions. */
export class VersionBoard {
  readonly #bus: Bus;
  readonly #worker: string;
  readonly #clock: Clock;
  /** Announced models, and why each cannot be loaded at all ('' if it can). */
  readonly #models = new Map<string, string>();
  /** Keys of announced versions by model. */
  readonly #versions = new Map<string, Set<string>>();

  constructor({ bus, worker, clock }: Pick<WorkerContext, 'bus' | 'worker' | 'clock'>) {
    this.#bus = bus;
    this.#worker = worker;
    this.#clock = clock;
  }

  /** The models that were announced. */
  get models(): readonly string[] {
    return [...this.#models.keys()];
  }

  /**
   * The repository holds this model; `reason`: why it cannot be loaded at all; `wanted`: somebody asked for it. True
   * when the reason is another than before.
   */
  model(model: string, reason: string, wanted: boolean): boolean {
    const news = (this.#models.get(model) ?? '') !== reason;
    this.#models.set(model, reason);
    this.#bus.announce<ModelAnnouncement>(this.#modelKey(model), { worker: this.#worker, model, reason, wanted });
    return news;
  }

  loading(key: ModelKey): void {
    this.#version({ ...key, state: 'LOADING', reason: '' });
  }

  ready(generation: Generation): void {
    const { key, config, labels } = generation;
    this.#version({
      ...key,
      state: 'READY',
      reason: '',
      since: this.#clock.epochMs(),
      ...(config ? { config } : {}),
      labels,
    });
  }

  /** @param reason Why, where nobody asked for it. */
  unloading(generation: Generation, reason = ''): void {
    const { key, config, labels } = generation;
    this.#version({ ...key, state: 'UNLOADING', reason, ...(config ? { config } : {}), labels });
  }

  unavailable(key: ModelKey, reason: string): void {
    this.#version({ ...key, state: 'UNAVAILABLE', reason });
  }

  /** The repository no longer holds the model, and nothing of it is loaded. */
  forget(model: string): void {
    for (const key of this.#versions.get(model) ?? []) this.#bus.withdraw(key);
    this.#versions.delete(model);
    if (this.#models.delete(model)) this.#bus.withdraw(this.#modelKey(model));
  }

  #modelKey(model: string): string {
    return `${modelsPrefix}${model}/${this.#worker}`;
  }

  #version(said: VersionAnnouncement): void {
    const announcement = { ...said, worker: this.#worker };
    const key = `${versionsPrefix}${said.model}/${said.version}/${this.#worker}`;
    const keys = this.#versions.get(announcement.model) ?? new Set();
    this.#versions.set(announcement.model, keys.add(key));
    this.#bus.announce(key, announcement);
  }
}
