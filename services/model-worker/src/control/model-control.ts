import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadCall, UnloadCall } from '@shoal/bus';
import { type CancelTimer, ShoalError } from '@shoal/core';
import {
  type ModelSnapshot,
  type RepositorySnapshot,
  type ScanResult,
  type ScannedModel,
  type ScannedVersion,
  applyOverride,
  diffRepositories,
  pollFailure,
  scanModel,
  scanRepository,
  settleSnapshot,
} from '@shoal/repository';
import type { WorkerContext } from '../worker-context';
import { contentGeneration } from './content-generation';
import { Gate } from './gate';
import { KeyedQueue } from './keyed-queue';
import { ManagedModel } from './managed-model';
import { VersionBoard } from './version-board';

export interface ModelControlOptions {
  readonly mode: 'none' | 'poll' | 'explicit';
  readonly repositories: readonly string[];
  readonly pollMs: number;
  /** Explicit mode: loaded at start; ['*'] = all. */
  readonly startupModels: readonly string[];
  readonly concurrentLoads: number;
  /** Where the files that load calls bring along are kept. */
  readonly privateFolder: string;
  /** Makes generations' names unique; undefined: they are named by what is loaded, as other workers name them. */
  readonly generationPrefix: string | undefined;
}

/** What a model was loaded from. */
interface Origin {
  /** The repository's own folder at that time; undefined if it has none. */
  readonly snapshot: ModelSnapshot | undefined;
  /** A load call's config or files stand in for the repository's. */
  readonly overridden: boolean;
  /** A private folder with a load call's files. */
  readonly folder: string | undefined;
}

/** Decides which models are loaded: by the repository at start, by its changes (poll), or by calls (explicit). */
export class ModelControl {
  readonly #context: WorkerContext;
  readonly #options: ModelControlOptions;
  readonly #board: VersionBoard;
  readonly #gate: Gate;
  readonly #queue = new KeyedQueue();
  readonly #models = new Map<string, ManagedModel>();
  readonly #origins = new Map<string, Origin>();
  #polled: RepositorySnapshot = new Map();
  #generations = 0;
  #cancelPoll: CancelTimer = () => undefined;
  #closed = false;

  constructor(context: WorkerContext, options: ModelControlOptions) {
    this.#context = context;
    this.#options = options;
    this.#board = new VersionBoard(context);
    this.#gate = new Gate(options.concurrentLoads);
  }

  /**
   * Looks at the repositories and begins to load; the promise within settles when each start-up model is READY or
   * UNAVAILABLE. Throws ShoalError INVALID_ARGUMENT when a repository cannot be read.
   */
  async start(): Promise<{ readonly loaded: Promise<void> }> {
    const { mode, startupModels } = this.#options;
    const scans = await scanRepository(this.#options.repositories);
    this.#tell(scans);
    this.#polled = snapshotOf(scans);
    const chosen = scans.filter(({ name }) => this.#wants(name));
    if (mode === 'explicit' && !startupModels.includes('*')) {
      for (const name of startupModels) {
        if (!scans.some((scan) => scan.name === name)) this.#context.logger.error(pollFailure(name).message);
      }
    }
    const loads = chosen.map((scan) => (scan.ok ? this.#loadScanned(scan) : Promise.resolve()));
    const loaded = Promise.all(loads).then(() => this.#schedulePoll());
    return { loaded };
  }

  /** Serves RepositoryModelLoad; resolves when the model is READY. */
  load(call: LoadCall): Promise<void> {
    this.#demandExplicit();
    return this.#queue.run(call.model, () => this.#load(call));
  }

  /** Serves RepositoryModelUnload; resolves when nothing of the model is left. Unknown models are fine. */
  unload({ model }: UnloadCall): Promise<void> {
    this.#demandExplicit();
    return this.#queue.run(model, () => this.#unload(model));
  }

  /** Ends the loads that go on, and takes no more. */
  abandonLoads(): void {
    this.#closed = true;
    this.#cancelPoll();
    for (const model of this.#models.values()) model.abandonLoads();
  }

  /** Ends everything: what serves has `graceMs` to finish, what loads is ended at once. */
  async close(graceMs: number): Promise<void> {
    this.abandonLoads();
    await Promise.all([...this.#models.values()].map((model) => model.close(graceMs)));
    await this.#queue.idle();
  }

  /** Whether this model is to be served without a call that asks for it. */
  #wants(name: string): boolean {
    const { mode, startupModels } = this.#options;
    return mode !== 'explicit' || startupModels.includes('*') || startupModels.includes(name);
  }

  #demandExplicit(): void {
    if (this.#closed) throw new ShoalError('UNAVAILABLE', 'the server is shutting down');
    if (this.#options.mode === 'explicit') return;
    throw new ShoalError('UNAVAILABLE', 'explicit model load / unload is not allowed if polling is enabled');
  }

  async #load(call: LoadCall): Promise<void> {
    const { model: name, config } = call;
    const files = Object.entries(call.files ?? {});
    const overridden = config !== undefined || files.length > 0;
    const scan = await scanModel(this.#options.repositories, name);
    if (scan) this.#tell([scan]);
    const origin = this.#origins.get(name);
    if (overridden) await this.#loadOverridden(call, scan);
    else if (!scan?.ok) this.#refuse(name, scan?.reason ?? 'no model repository holds it');
    else {
      const numbers = this.#changed(scan, origin);
      if (!numbers) return;
      await this.#model(name).load(scan, numbers);
      this.#origins.set(name, { snapshot: scan.snapshot, overridden: false, folder: undefined });
    }
    await remove(origin?.folder);
  }

  /** Files that come along get a folder of their own, which stays for as long as the model is loaded from it. */
  async #loadOverridden(call: LoadCall, scan: ScanResult | undefined): Promise<void> {
    const { model: name, config } = call;
    const files = Object.fromEntries(
      Object.entries(call.files ?? {}).map(([path, text]) => [path, Buffer.from(text, 'base64')]),
    );
    const folder = await mkdtemp(join(this.#options.privateFolder, 'load-'));
    try {
      const override = { files, ...(config === undefined ? {} : { config }) };
      const target = await applyOverride(name, scan, override, folder);
      const numbers = target.versions.map(({ version }) => version);
      await this.#model(name).load(target, numbers);
      this.#board.model(name, '', true);
      this.#origins.set(name, { snapshot: scan?.snapshot, overridden: true, folder });
    } catch (thrown) {
      await remove(folder);
      const cause = thrown instanceof Error ? thrown.cause : undefined;
      if (cause instanceof Error) this.#context.logger.error(`failed to poll '${name}': ${cause.message}`);
      throw thrown;
    }
  }

  #refuse(name: string, reason: string): never {
    this.#context.logger.error(`failed to poll '${name}': ${reason}`);
    throw pollFailure(name, new Error(reason));
  }

  /**
   * Versions to load: those that changed since they were loaded, or do not serve; all, when an override gives way.
   * Undefined: everything is as the repository has it.
   */
  #changed(target: ScannedModel, origin: Origin | undefined): number[] | undefined {
    const all = target.versions.map(({ version }) => version);
    if (!origin?.snapshot) return all;
    const serving = this.#model(target.name).serving;
    const before = new Map([[target.name, origin.snapshot]]);
    const [change] = diffRepositories(before, new Map([[target.name, target.snapshot]])).changed;
    if (!change && all.every((version) => serving.includes(version))) return undefined;
    if (origin.overridden) return all;
    const changed = new Set([...(change?.load ?? []), ...(change?.reload ?? [])]);
    return all.filter((version) => changed.has(version) || !serving.includes(version));
  }

  async #unload(name: string): Promise<void> {
    const model = this.#models.get(name);
    if (!model) return;
    await model.unload();
    const folder = this.#origins.get(name)?.folder;
    this.#origins.delete(name);
    await remove(folder);
  }

  #loadScanned(scan: ScannedModel, numbers = scan.versions.map(({ version }) => version)): Promise<void> {
    return this.#queue.run(scan.name, async () => {
      for (const warning of scan.warnings) this.#context.logger.warn(warning);
      try {
        await this.#model(scan.name).load(scan, numbers);
        this.#origins.set(scan.name, { snapshot: scan.snapshot, overridden: false, folder: undefined });
      } catch (thrown) {
        if (!this.#closed) this.#context.logger.error(thrown instanceof Error ? thrown.message.trim() : String(thrown));
      }
    });
  }

  #schedulePoll(): void {
    if (this.#closed || this.#options.mode === 'none') return;
    this.#cancelPoll = this.#context.clock.schedule(this.#options.pollMs, () => {
      this.#poll().then(
        () => this.#schedulePoll(),
        (thrown: unknown) => {
          this.#context.logger.error(`the model repository cannot be read: ${String(thrown)}`);
          this.#schedulePoll();
        },
      );
    });
  }

  /** Follows the repository's changes; in explicit mode only tells which models there are. */
  async #poll(): Promise<void> {
    const scans = await scanRepository(this.#options.repositories);
    if (this.#closed) return;
    if (this.#options.mode === 'explicit') {
      this.#tell(scans);
      for (const name of this.#board.models) {
        const gone = !scans.some((scan) => scan.name === name) && !this.#models.get(name)?.serving.length;
        if (gone) this.#board.forget(name);
      }
      return;
    }
    const now = snapshotOf(scans);
    const diff = diffRepositories(this.#polled, now);
    this.#polled = settleSnapshot(this.#polled, now);
    const byName = new Map(scans.map((scan) => [scan.name, scan]));
    const touched = [...diff.added, ...diff.changed.map(({ model }) => model)];
    this.#tell(touched.flatMap((name) => byName.get(name) ?? []));
    await Promise.all([
      ...diff.added.map((name) => this.#follow(byName.get(name))),
      ...diff.changed.map(({ model, load, reload }) => this.#follow(byName.get(model), [...load, ...reload])),
      ...diff.removed.map((name) => this.#remove(name)),
    ]);
  }

  #follow(scan: ScanResult | undefined, numbers?: readonly number[]): Promise<void> {
    return scan?.ok ? this.#loadScanned(scan, numbers ? [...numbers] : undefined) : Promise.resolve();
  }

  #remove(name: string): Promise<void> {
    return this.#queue.run(name, async () => {
      await this.#unload(name);
      this.#board.forget(name);
    });
  }

  /** Announces what the repository holds, and logs what is wrong with it: once, however often it is looked at. */
  #tell(scans: readonly ScanResult[]): void {
    for (const scan of scans) {
      const news = this.#board.model(scan.name, scan.ok ? '' : scan.reason, this.#wants(scan.name));
      if (!scan.ok && news) this.#context.logger.error(`model '${scan.name}' cannot be loaded: ${scan.reason}`);
    }
  }

  #model(name: string): ManagedModel {
    let model = this.#models.get(name);
    if (!model) {
      const { generationPrefix } = this.#options;
      const nextGeneration = () => `${generationPrefix ?? ''}${(this.#generations += 1)}`;
      const generationOf = (scan: ScannedModel, version: ScannedVersion) =>
        generationPrefix === undefined ? contentGeneration(scan, version) : Promise.resolve(nextGeneration());
      model = new ManagedModel(name, {
        context: this.#context,
        board: this.#board,
        gate: this.#gate,
        nextGeneration,
        generationOf,
      });
      this.#models.set(name, model);
    }
    return model;
  }
}

function snapshotOf(scans: readonly ScanResult[]): RepositorySnapshot {
  return new Map(scans.map(({ name, snapshot }) => [name, snapshot]));
}

async function remove(folder: string | undefined): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}
