import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Desire, type WorkerAnnouncement, workersPrefix } from '@shoal/bus';
import { type CancelTimer, sleep, toShoalError } from '@shoal/core';
import { PlacementView } from '@shoal/placement';
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
import { modelFacts } from './model-facts';
import { nextStep } from './next-step';
import { ReportBoard } from './report-board';
import { VersionBoard } from './version-board';

/** How soon a step that failed, or a store that was away, is tried again. */
const storeRetryMs = 500;

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
  /** What all its models together may take, by estimate. */
  readonly memoryBudgetBytes: number;
  /** How long a worker that is no longer heard keeps its models, before others load them. */
  readonly settleMs: number;
}

/** What a model was loaded from. */
interface Origin {
  /** The repository's own folder at that time; undefined if it has none. */
  readonly snapshot: ModelSnapshot | undefined;
  /** The load call's config and files that stand in for the repository's, as text; '' = none do. */
  readonly override: string;
  /** A private folder with a load call's files. */
  readonly folder: string | undefined;
}

/**
 * Carries out what is wanted of the models: by what people asked for (desired state), else by this worker's own mode; and reports how
 * far it is. Follows the repository's changes in poll mode.
 */
export class ModelControl {
  readonly #context: WorkerContext;
  readonly #options: ModelControlOptions;
  readonly #board: VersionBoard;
  readonly #reports: ReportBoard;
  readonly #gate: Gate;
  readonly #queue = new KeyedQueue();
  readonly #models = new Map<string, ManagedModel>();
  readonly #origins = new Map<string, Origin>();
  /** By model: the asking whose loading serves. */
  readonly #servingRequests = new Map<string, string>();
  /** Models that have a step under way or waiting. */
  readonly #busy = new Set<string>();
  /** Start-up models that are not settled yet. */
  readonly #starting = new Set<string>();
  #started: () => void = () => undefined;
  #view: PlacementView | undefined;
  #polled: RepositorySnapshot = new Map();
  #generations = 0;
  #cancelPoll: CancelTimer = () => undefined;
  readonly #ending = new AbortController();

  constructor(context: WorkerContext, options: ModelControlOptions) {
    this.#context = context;
    this.#options = options;
    this.#board = new VersionBoard(context);
    this.#reports = new ReportBoard(context.bus, context.worker);
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
    for (const scan of scans) await this.#report(scan.name, scan, undefined);
    for (const { name } of chosen) this.#starting.add(name);
    const loaded = new Promise<void>((resolve) => (this.#started = resolve));
    this.#announce(false);
    this.#view = new PlacementView(this.#context.bus, this.#context.clock, this.#options.settleMs);
    this.#view.onChange(() => this.#look());
    this.#look();
    return { loaded: loaded.then(() => this.#schedulePoll()) };
  }

  /** Ends the loads that go on, and takes no more. */
  abandonLoads(): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    this.#cancelPoll();
    this.#announce(true);
    for (const model of this.#models.values()) model.abandonLoads();
    this.#started();
  }

  /** Resolves when others serve what this worker is to serve no more, where there are others; after `timeoutMs` in any case. */
  async handOver(timeoutMs: number): Promise<void> {
    const { clock } = this.#context;
    const end = clock.now() + timeoutMs;
    while (!this.#isHandedOver() && clock.now() < end) await sleep(clock, 20);
  }

  /** Ends everything: what serves has `graceMs` to finish, what loads is ended at once. */
  async close(graceMs: number): Promise<void> {
    this.abandonLoads();
    await Promise.all([...this.#models.values()].map((model) => model.close(graceMs)));
    await this.#queue.idle();
    this.#view?.close();
    this.#reports.close();
    this.#context.bus.withdraw(workersPrefix + this.#context.worker);
  }

  #announce(leaving: boolean): void {
    const { bus, worker, gpus } = this.#context;
    const { mode, memoryBudgetBytes } = this.#options;
    bus.announce<WorkerAnnouncement>(workersPrefix + worker, {
      id: worker,
      mode,
      memoryBytes: memoryBudgetBytes,
      gpus: gpus.length,
      leaving,
    });
  }

  #isHandedOver(): boolean {
    const view = this.#view;
    const { worker } = this.#context;
    if (!view?.workers.get(worker)?.leaving) return view === undefined;
    for (const [name, { serving }] of this.#models) {
      const plan = view.plans.get(name);
      if (serving.length === 0 || !plan?.wanted) continue;
      const request = plan.desire?.request ?? '';
      for (const chosen of plan.chosen) {
        const report = view.reports.get(name)?.get(chosen);
        if (report?.applied !== request || report.state === 'LOADING' || report.state === 'ABSENT') return false;
      }
    }
    return true;
  }

  /** Begins the next step of each model that has one. */
  #look(): void {
    if (this.#ending.signal.aborted) return;
    for (const name of this.#view?.plans.keys() ?? []) {
      if (this.#busy.has(name) || this.#step(name) === 'nothing') continue;
      this.#busy.add(name);
      void this.#queue
        .run(name, () => this.#tryReconcile(name))
        .finally(() => {
          this.#busy.delete(name);
          this.#look();
        });
    }
    this.#settleStart();
  }

  #step(name: string): ReturnType<typeof nextStep> {
    const plan = this.#view?.plans.get(name);
    if (plan === undefined || this.#ending.signal.aborted) return 'nothing';
    return nextStep({
      me: this.#context.worker,
      plan,
      own: this.#reports.get(name),
      said: this.#view?.reports.get(name),
      serving: (this.#models.get(name)?.serving.length ?? 0) > 0,
      servingRequest: this.#servingRequests.get(name),
    });
  }

  /** Start-up models that others serve, or that cannot be served, are settled too. */
  #settleStart(): void {
    if (this.#starting.size === 0 && this.#view !== undefined) return this.#started();
    for (const name of this.#starting) {
      const plan = this.#view?.plans.get(name);
      if (plan === undefined || this.#busy.has(name) || !plan.decided || this.#step(name) !== 'nothing') continue;
      this.#starting.delete(name);
      if (plan.short && plan.chosen.length === 0 && this.#reports.get(name)?.refusal === undefined) {
        this.#context.logger.error(plan.short.message);
      }
    }
    if (this.#starting.size === 0) this.#started();
  }

  /** Never rejects: what fails unexpectedly is tried again after a rest. */
  async #tryReconcile(name: string): Promise<void> {
    try {
      await this.#reconcile(name);
    } catch (thrown) {
      const { signal } = this.#ending;
      if (signal.aborted) return;
      this.#context.logger.error(`'${name}' cannot be dealt with now and is tried again: ${String(thrown)}`);
      await sleep(this.#context.clock, storeRetryMs, signal).catch(() => undefined);
    }
  }

  async #reconcile(name: string): Promise<void> {
    const desire = this.#view?.plans.get(name)?.desire;
    const request = desire?.request ?? '';
    switch (this.#step(name)) {
      case 'look':
        return this.#lookFor(name, desire);
      case 'ready':
        return this.#reports.did(name, request, 'READY');
      case 'absent':
        return this.#reports.did(name, request, 'ABSENT');
      case 'forget':
        return this.#forget(name);
      case 'unload':
        await this.#unload(name);
        return this.#reports.did(name, request, 'ABSENT');
      case 'load':
        return this.#carryOut(name, desire, request);
      case 'nothing':
    }
  }

  /** What nobody asks for any more: a model that the repository has not is not spoken of. */
  async #forget(name: string): Promise<void> {
    const scan = await scanModel(this.#options.repositories, name);
    if (!scan) return this.#reports.forget(name);
    await this.#report(name, scan, undefined, '');
    this.#reports.did(name, '', 'ABSENT');
  }

  async #lookFor(name: string, desire: Desire | undefined): Promise<void> {
    const scan = await scanModel(this.#options.repositories, name);
    if (scan) this.#tell([scan]);
    await this.#report(name, scan, desire);
    if (this.#reports.get(name)?.refusal === undefined) return;
    const reason = scan?.ok === false ? scan.reason : 'no model repository holds it';
    this.#context.logger.error(`failed to poll '${name}': ${reason}`);
  }

  async #report(
    name: string,
    scan: ScanResult | undefined,
    desire: Desire | undefined,
    seen = desire?.request ?? this.#reports.get(name)?.seen ?? '',
  ): Promise<void> {
    const facts = await modelFacts(name, scan, desire, this.#context.gpus);
    this.#reports.looked(name, seen, scan !== undefined && this.#wants(name), facts);
  }

  async #carryOut(name: string, desire: Desire | undefined, request: string): Promise<void> {
    this.#reports.did(name, request, 'LOADING');
    try {
      await this.#load(name, desire);
      this.#servingRequests.set(name, request);
      this.#reports.did(name, request, 'READY');
    } catch (thrown) {
      const { code, message } = toShoalError(thrown);
      if (!this.#ending.signal.aborted) this.#context.logger.error(message.trim());
      this.#reports.did(name, request, 'FAILED', { code, message });
    }
  }

  /** Whether this model is to be served without a call that asks for it. */
  #wants(name: string): boolean {
    const { mode, startupModels } = this.#options;
    return mode !== 'explicit' || startupModels.includes('*') || startupModels.includes(name);
  }

  async #load(name: string, desire: Desire | undefined): Promise<void> {
    const scan = await scanModel(this.#options.repositories, name);
    if (scan) this.#tell([scan]);
    const origin = this.#origins.get(name);
    const override = overrideOf(desire);
    const gaveWay =
      desire?.kept === true && origin !== undefined && (origin.override === '' || origin.override === override);
    if (override !== '' && !gaveWay) await this.#loadOverridden(name, desire!, override, scan);
    else if (!scan?.ok) this.#refuse(name, scan?.reason ?? 'no model repository holds it');
    else {
      for (const warning of scan.warnings) this.#context.logger.warn(warning);
      // An override that nobody asks for any more gives way, whether or not the repository has changed.
      const before = origin !== undefined && origin.override !== override ? undefined : origin;
      const numbers = this.#changed(scan, before);
      if (!numbers) return;
      await this.#model(name).load(scan, numbers);
      this.#origins.set(name, { snapshot: scan.snapshot, override: '', folder: undefined });
    }
    await remove(origin?.folder);
  }

  /** Files that come along get a folder of their own, which stays for as long as the model is loaded from it. */
  async #loadOverridden(name: string, desire: Desire, text: string, scan: ScanResult | undefined): Promise<void> {
    const { config } = desire;
    const files: [path: string, bytes: Buffer][] = [];
    for (const { path, digest } of desire.files ?? []) files.push([path, await this.#fetch(name, digest, desire)]);
    const folder = await mkdtemp(join(this.#options.privateFolder, 'load-'));
    try {
      const override = { files: Object.fromEntries(files), ...(config === undefined ? {} : { config }) };
      const target = await applyOverride(name, scan, override, folder);
      const numbers = target.versions.map(({ version }) => version);
      await this.#model(name).load(target, numbers);
      this.#board.model(name, '', true);
      this.#origins.set(name, { snapshot: scan?.snapshot, override: text, folder });
    } catch (thrown) {
      await remove(folder);
      const cause = thrown instanceof Error ? thrown.cause : undefined;
      if (cause instanceof Error) this.#context.logger.error(`failed to poll '${name}': ${cause.message}`);
      throw thrown;
    }
  }

  /** While the store is away it is waited for: what was asked for stands. @throws ShoalError as the store, or when it stands no more. */
  async #fetch(name: string, digest: string, desire: Desire): Promise<Buffer> {
    const { bus, clock } = this.#context;
    for (;;) {
      try {
        return await bus.blobs.get(digest);
      } catch (thrown) {
        const isStanding = this.#view?.desires.get(name)?.request === desire.request;
        if (toShoalError(thrown).code !== 'UNAVAILABLE' || this.#ending.signal.aborted || !isStanding) throw thrown;
        await sleep(clock, storeRetryMs);
      }
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
    if (origin.override !== '') return all;
    const changed = new Set([...(change?.load ?? []), ...(change?.reload ?? [])]);
    return all.filter((version) => changed.has(version) || !serving.includes(version));
  }

  async #unload(name: string): Promise<void> {
    this.#servingRequests.delete(name);
    const model = this.#models.get(name);
    if (!model) return;
    await model.unload();
    const folder = this.#origins.get(name)?.folder;
    this.#origins.delete(name);
    await remove(folder);
  }

  #schedulePoll(): void {
    if (this.#ending.signal.aborted || this.#options.mode === 'none') return;
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
    if (this.#ending.signal.aborted) return;
    if (this.#options.mode === 'explicit') {
      this.#tell(scans);
      for (const scan of scans) if (!this.#reports.get(scan.name)) await this.#report(scan.name, scan, undefined);
      for (const name of this.#board.models) {
        const gone = !scans.some((scan) => scan.name === name) && !this.#models.get(name)?.serving.length;
        if (!gone) continue;
        this.#board.forget(name);
        if (!this.#view?.desires.has(name)) this.#reports.forget(name);
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
      ...diff.added.map((name) => this.#follow(name, byName.get(name), [])),
      ...diff.changed.map(({ model, load, reload }) => this.#follow(model, byName.get(model), [...load, ...reload])),
      ...diff.removed.map((name) => this.#remove(name)),
    ]);
  }

  /** What has changed of a model that serves is loaded; one that does not is placed anew. */
  #follow(name: string, scan: ScanResult | undefined, numbers: readonly number[]): Promise<void> {
    return this.#queue.run(name, async () => {
      await this.#report(name, scan, this.#view?.desires.get(name));
      const report = this.#reports.get(name);
      if (!scan?.ok || report === undefined) return;
      const isServing = (this.#models.get(name)?.serving.length ?? 0) > 0;
      if (!isServing) {
        if (report.state === 'FAILED') this.#reports.did(name, report.applied, 'ABSENT');
        return;
      }
      for (const warning of scan.warnings) this.#context.logger.warn(warning);
      try {
        await this.#model(name).load(scan, numbers);
        await remove(this.#origins.get(name)?.folder);
        this.#origins.set(name, { snapshot: scan.snapshot, override: '', folder: undefined });
      } catch (thrown) {
        if (!this.#ending.signal.aborted) this.#context.logger.error(toShoalError(thrown).message.trim());
      }
    });
  }

  #remove(name: string): Promise<void> {
    return this.#queue.run(name, async () => {
      await this.#unload(name);
      this.#board.forget(name);
      this.#reports.forget(name);
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
        onBroken: (reason) => {
          if (this.#models.get(name)?.serving.length) return;
          const { code, message } = reason;
          this.#reports.did(name, this.#reports.get(name)?.applied ?? '', 'FAILED', { code, message });
        },
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

/** What a load call put in the repository's place; '' = nothing. */
function overrideOf(desire: Desire | undefined): string {
  if (desire?.config === undefined && desire?.files === undefined) return '';
  return JSON.stringify([desire.config, (desire.files ?? []).map(({ path, digest }) => [path, digest])]);
}

async function remove(folder: string | undefined): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}
