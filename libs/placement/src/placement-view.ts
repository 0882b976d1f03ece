import {
  type Bus,
  type Desire,
  type ModelReport,
  type WorkerAnnouncement,
  desiredPrefix,
  reportsPrefix,
  workersPrefix,
} from '@shoal/bus';
import type { CancelTimer, Clock } from '@shoal/core';
import { type Announced, type ModelPlan, planModels } from './plan';

/** Follows what is announced of workers, reports and desires, and keeps the plan that follows from it. */
export class PlacementView implements Announced {
  readonly workers = new Map<string, WorkerAnnouncement>();
  readonly desires = new Map<string, Desire>();
  readonly reports = new Map<string, Map<string, ModelReport>>();
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #lost = new Map<string, CancelTimer>();
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: readonly (() => void)[];
  #plans: Map<string, ModelPlan> | undefined;
  #telling = false;
  #closed = false;

  /** `settleMs`: how long a worker that is no longer heard keeps its place: it may come back. */
  constructor(bus: Bus, clock: Clock, settleMs: number) {
    this.#clock = clock;
    this.#settleMs = settleMs;
    this.#unwatch = [
      bus.watch<WorkerAnnouncement>(workersPrefix, (key, value) =>
        this.#worker(key.slice(workersPrefix.length), value),
      ),
      bus.watch<ModelReport>(reportsPrefix, (key, value) => this.#report(key, value)),
      bus.state.watch<Desire>(desiredPrefix, (key, entry) => {
        const model = key.slice(desiredPrefix.length);
        if (entry) this.desires.set(model, entry.value);
        else this.desires.delete(model);
        this.#changed();
      }),
    ];
  }

  /** By model. */
  get plans(): ReadonlyMap<string, ModelPlan> {
    return (this.#plans ??= planModels(this));
  }

  /** Calls `changed` after changes, several at once; returns what stops that. */
  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  close(): void {
    this.#closed = true;
    for (const unwatch of this.#unwatch) unwatch();
    for (const cancel of this.#lost.values()) cancel();
    this.#listeners.clear();
  }

  #worker(id: string, value: WorkerAnnouncement | undefined): void {
    this.#lost.get(id)?.();
    this.#lost.delete(id);
    if (value) this.workers.set(id, value);
    // Who said that it ends needs no waiting for.
    else if (this.#settleMs === 0 || this.workers.get(id)?.leaving) this.#forget(id);
    else
      this.#lost.set(
        id,
        this.#clock.schedule(this.#settleMs, () => this.#forget(id)),
      );
    this.#changed();
  }

  #forget(id: string): void {
    this.#lost.delete(id);
    this.workers.delete(id);
    for (const [model, said] of this.reports) {
      if (said.get(id)?.state === 'ABSENT') said.delete(id);
      if (said.size === 0) this.reports.delete(model);
    }
    this.#changed();
  }

  #report(key: string, value: ModelReport | undefined): void {
    const end = key.lastIndexOf('/');
    const model = key.slice(reportsPrefix.length, end);
    const worker = key.slice(end + 1);
    const said = this.reports.get(model) ?? new Map<string, ModelReport>();
    if (value) this.reports.set(model, said.set(worker, value));
    else {
      // Of a worker that is missed for a while what it could do is remembered: it serves nothing, and keeps its place.
      const before = said.get(worker);
      if (before && this.workers.has(worker) && before.refusal === undefined) {
        said.set(worker, { ...before, state: 'ABSENT' });
      } else said.delete(worker);
      if (said.size === 0) this.reports.delete(model);
    }
    this.#changed();
  }

  #changed(): void {
    this.#plans = undefined;
    if (this.#telling || this.#closed) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}
