import type { Desire } from '@shoal/bus';
import { type CancelTimer, toShoalError } from '@shoal/core';
import {
  type RepositorySnapshot,
  type ScanResult,
  diffRepositories,
  scanRepository,
  settleSnapshot,
} from '@shoal/repository';
import type { WorkerContext } from '../worker-context';
import type { KeyedQueue } from './keyed-queue';
import type { ModelLoader } from './model-loader';
import type { ReportBoard } from './report-board';
import type { VersionBoard } from './version-board';

export interface RepositoryPollOptions {
  readonly mode: 'none' | 'poll' | 'explicit';
  readonly repositories: readonly string[];
  readonly pollMs: number;
}

export interface RepositoryPollDeps {
  readonly context: WorkerContext;
  readonly board: VersionBoard;
  readonly reports: ReportBoard;
  readonly loader: ModelLoader;
  /** In which a model's steps wait for each other. */
  readonly queue: KeyedQueue;
  /** Aborts at the end of the service. */
  readonly ending: AbortSignal;
  /** Whether this model is to be served without a call that asks for it. */
  wants(name: string): boolean;
  /** What people asked for of it. */
  desireOf(name: string): Desire | undefined;
  /** Reports what serving it, as asked for, would take. */
  report(name: string, scan: ScanResult | undefined, desire: Desire | undefined): Promise<void>;
  /** Unloads it. */
  unload(name: string): Promise<void>;
}

/** Looks at the repositories again and again: follows their changes in poll mode; in explicit mode only tells which models there are. */
export class RepositoryPoll {
  readonly #options: RepositoryPollOptions;
  readonly #deps: RepositoryPollDeps;
  #polled: RepositorySnapshot = new Map();
  #cancel: CancelTimer = () => undefined;

  constructor(options: RepositoryPollOptions, deps: RepositoryPollDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The first look, which the next ones are compared with. @throws ShoalError INVALID_ARGUMENT when a repository cannot be read. */
  async look(): Promise<readonly ScanResult[]> {
    const scans = await scanRepository(this.#options.repositories);
    this.tell(scans);
    this.#polled = snapshotOf(scans);
    return scans;
  }

  schedule(): void {
    const { context, ending } = this.#deps;
    if (ending.aborted || this.#options.mode === 'none') return;
    this.#cancel = context.clock.schedule(this.#options.pollMs, () => {
      this.#poll().then(
        () => this.schedule(),
        (thrown: unknown) => {
          context.logger.error(`the model repository cannot be read: ${String(thrown)}`);
          this.schedule();
        },
      );
    });
  }

  cancel(): void {
    this.#cancel();
  }

  /** Announces what the repository holds, and logs what is wrong with it: once, however often it is looked at. */
  tell(scans: readonly ScanResult[]): void {
    const { board, context } = this.#deps;
    for (const scan of scans) {
      const news = board.model(scan.name, scan.ok ? '' : scan.reason, this.#deps.wants(scan.name));
      if (!scan.ok && news) context.logger.error(`model '${scan.name}' cannot be loaded: ${scan.reason}`);
    }
  }

  async #poll(): Promise<void> {
    const scans = await scanRepository(this.#options.repositories);
    if (this.#deps.ending.aborted) return;
    if (this.#options.mode === 'explicit') await this.#tellChanges(scans);
    else await this.#followChanges(scans);
  }

  async #tellChanges(scans: readonly ScanResult[]): Promise<void> {
    const { board, reports, loader } = this.#deps;
    this.tell(scans);
    for (const scan of scans) if (!reports.get(scan.name)) await this.#deps.report(scan.name, scan, undefined);
    for (const name of board.models) {
      if (scans.some((scan) => scan.name === name) || loader.isServing(name)) continue;
      board.forget(name);
      if (!this.#deps.desireOf(name)) reports.forget(name);
    }
  }

  async #followChanges(scans: readonly ScanResult[]): Promise<void> {
    const now = snapshotOf(scans);
    const diff = diffRepositories(this.#polled, now);
    this.#polled = settleSnapshot(this.#polled, now);
    const byName = new Map(scans.map((scan) => [scan.name, scan]));
    const touched = [...diff.added, ...diff.changed.map(({ model }) => model)];
    this.tell(touched.flatMap((name) => byName.get(name) ?? []));
    await Promise.all([
      ...diff.added.map((name) => this.#follow(name, byName.get(name), [])),
      ...diff.changed.map(({ model, load, reload }) => this.#follow(model, byName.get(model), [...load, ...reload])),
      ...diff.removed.map((name) => this.#remove(name)),
    ]);
  }

  /** What has changed of a model that serves is loaded; one that does not is placed anew. */
  #follow(name: string, scan: ScanResult | undefined, numbers: readonly number[]): Promise<void> {
    const { context, reports, loader, queue, ending } = this.#deps;
    return queue.run(name, async () => {
      await this.#deps.report(name, scan, this.#deps.desireOf(name));
      const report = reports.get(name);
      if (!scan?.ok || report === undefined) return;
      if (!loader.isServing(name)) {
        if (report.state === 'FAILED') reports.did(name, report.applied, 'ABSENT');
        return;
      }
      try {
        await loader.follow(scan, numbers);
      } catch (thrown) {
        if (!ending.aborted) context.logger.error(toShoalError(thrown).message.trim());
      }
    });
  }

  #remove(name: string): Promise<void> {
    const { board, reports, queue } = this.#deps;
    return queue.run(name, async () => {
      await this.#deps.unload(name);
      board.forget(name);
      reports.forget(name);
    });
  }
}

function snapshotOf(scans: readonly ScanResult[]): RepositorySnapshot {
  return new Map(scans.map(({ name, snapshot }) => [name, snapshot]));
}
