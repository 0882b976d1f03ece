import type { ModelKey } from '@shoal/bus';
import { type Counter, type Family, type MetricRegistry, VersionSets } from '@shoal/telemetry';

/** starting: it has not served yet; serving: it takes batches; restarting: it ended, and another one takes its place. */
export type RunnerState = 'starting' | 'serving' | 'restarting';

const states = ['starting', 'serving', 'restarting'] as const;

/** Keeps a runner process alive. */
export interface Kept {
  readonly state: RunnerState;
}

/** What a model-worker tells of its runners. */
export class WorkerMetrics {
  readonly #restarts: Family<Counter>;
  readonly #versions: VersionSets<Counter>;
  readonly #kept = new Map<Kept, ModelKey>();
  readonly #end: () => void;

  constructor(registry: MetricRegistry) {
    this.#restarts = registry.counter({
      name: 'shoal_runner_restarts_total',
      help: 'Times that a runner process ended unasked, after it had served, or could not be started again.',
      labels: ['model', 'version'],
    });
    this.#versions = new VersionSets(
      ({ model, version }) => this.#restarts.with(model, version),
      ({ model, version }) => this.#restarts.remove(model, version),
    );
    this.#end = registry.observe(
      'gauge',
      {
        name: 'shoal_runners',
        help: 'Runner processes that are to serve, by state.',
        labels: ['model', 'version', 'state'],
      },
      (sample) => {
        for (const [{ state: current }, { model, version }] of this.#kept) {
          for (const state of states) sample(state === current ? 1 : 0, model, String(version), state);
        }
      },
    );
  }

  /** A loading of a version begins. @returns the counter of its restarts. `closed` follows. */
  opened({ model, version }: ModelKey): Counter {
    return this.#versions.acquire({ model, version: String(version) });
  }

  closed({ model, version }: ModelKey): void {
    this.#versions.release({ model, version: String(version) });
  }

  /** A runner is kept alive, until `left`. */
  keeps(version: ModelKey, kept: Kept): void {
    this.#kept.set(kept, version);
  }

  left(kept: Kept): void {
    this.#kept.delete(kept);
  }

  close(): void {
    this.#end();
  }
}
