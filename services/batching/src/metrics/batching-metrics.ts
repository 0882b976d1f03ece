import type { ModelKey } from '@shoal/bus';
import type { BucketCurve, ModelQueue } from '@shoal/scheduler';
import { type Counter, type MetricRegistry, VersionSets, linksSpec } from '@shoal/telemetry';
import { type BatchingFamilies, batchingFamilies } from './families';
import { oldestMs, waiting } from './queue-state';
import { RunnerSlots } from './runner-slots';
import { shapeLabel } from './shape-label';
import { VersionMeters } from './version-meters';

/** A queue to look at. */
export interface OpenQueue {
  readonly version: ModelKey;
  readonly queue: ModelQueue;
}

/** What a batching instance tells of its work. */
export class BatchingMetrics {
  readonly #registry: MetricRegistry;
  readonly #families: BatchingFamilies;
  readonly #versions: VersionSets<VersionMeters>;
  readonly #slots = new RunnerSlots();
  readonly #ends: (() => void)[] = [];

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
    const families = batchingFamilies(registry);
    this.#families = families;
    this.#versions = new VersionSets(
      ({ model, version }) => new VersionMeters(families, model, version),
      ({ model, version }) => {
        for (const family of byVersion(families)) family.removeAll(model, version);
      },
    );
  }

  /** A loading of a version opens; `closed` follows. */
  opened({ model, version }: ModelKey): VersionMeters {
    return this.#versions.acquire({ model, version: String(version) });
  }

  closed({ model, version }: ModelKey): void {
    this.#versions.release({ model, version: String(version) });
  }

  /** Counts the time that a runner is busy; `runnerLost` ends it. */
  runnerReady(runner: string, model: string, version: string): Counter {
    const slot = this.#slots.take(`${model}/${version}`, runner);
    return this.#families.busy.with(model, version, slot);
  }

  runnerLost(runner: string): void {
    this.#slots.give(runner);
  }

  /** Has queues looked at when somebody asks. */
  follow(queues: () => Iterable<OpenQueue>, now: () => number): void {
    this.#followCurves(queues);
    const each = (name: string, help: string, valueOf: (queue: ModelQueue) => number, join: Join) => {
      const spec = { name, help, labels: ['model', 'version'] };
      this.#ends.push(
        this.#registry.observe('gauge', spec, (sample) => {
          for (const [{ model, version }, value] of joined(queues(), valueOf, join))
            sample(value, model, String(version));
        }),
      );
    };
    each('nv_inference_pending_request_count', 'Requests that wait to be run.', waiting, sum);
    each('shoal_queue_depth', 'Requests that wait to be run.', waiting, sum);
    each(
      'shoal_queue_oldest_seconds',
      'How long the oldest request that waits has waited.',
      (queue) => oldestMs(queue, now()) / 1000,
      Math.max,
    );
  }

  #followCurves(queues: () => Iterable<OpenQueue>): void {
    const each = (name: string, help: string, msOf: (curve: BucketCurve) => number) => {
      const spec = { name, help, labels: ['model', 'version', 'shape'] };
      this.#ends.push(
        this.#registry.observe('gauge', spec, (sample) => {
          for (const [{ model, version }, curve] of newest(queues())) {
            sample(msOf(curve) / 1000, model, String(version), shapeLabel(curve.bucket));
          }
        }),
      );
    };
    each(
      'shoal_latency_model_alpha_seconds',
      'What a batch takes whatever its size, as it was learnt, by the bytes of a row.',
      ({ alphaMs }) => alphaMs,
    );
    each(
      'shoal_latency_model_beta_seconds',
      'What each row of a batch adds, as it was learnt, by the bytes of a row.',
      ({ betaMs }) => betaMs,
    );
  }

  /** Links of one kind. */
  followLinks(role: string, count: () => { readonly open: number; readonly connecting: number }): void {
    this.#ends.push(
      this.#registry.observe('gauge', linksSpec, (sample) => {
        const { open, connecting } = count();
        sample(open, role, 'open');
        sample(connecting, role, 'connecting');
      }),
    );
  }

  close(): void {
    for (const end of this.#ends) end();
  }
}

/** Those whose first labels are a model and a version. */
function byVersion({ shed: _shed, ...families }: BatchingFamilies) {
  return Object.values(families);
}

/** Of several loadings of a version the one that came last. */
function* newest(queues: Iterable<OpenQueue>): Iterable<[ModelKey, BucketCurve]> {
  const last = new Map<string, OpenQueue>();
  for (const open of queues) last.set(`${open.version.model}/${open.version.version}`, open);
  for (const { version, queue } of last.values()) {
    for (const curve of queue.latency.curves) yield [version, curve];
  }
}

type Join = (a: number, b: number) => number;

const sum: Join = (a, b) => a + b;

/** One value for each version, though several of its loadings have a queue. */
function joined(
  queues: Iterable<OpenQueue>,
  valueOf: (queue: ModelQueue) => number,
  join: Join,
): Iterable<[ModelKey, number]> {
  const values = new Map<string, [ModelKey, number]>();
  for (const { version, queue } of queues) {
    const key = `${version.model}/${version.version}`;
    const before = values.get(key);
    const value = valueOf(queue);
    values.set(key, [version, before === undefined ? value : join(before[1], value)]);
  }
  return values.values();
}
