import {
  type Desire,
  type LookAnswer,
  type LookCall,
  type ModelKey,
  type WorkerAnnouncement,
  instanceSubject,
  lookSubject,
  workersPrefix,
} from '@shoal/bus';
import { sleep, toShoalError } from '@shoal/core';
import { PlacementView } from '@shoal/placement';
import { type ScanResult, pollFailure, scanModel } from '@shoal/repository';
import type { WorkerContext } from '../worker-context';
import { KeyedQueue } from './keyed-queue';
import { modelFacts } from './model-facts';
import { ModelLoader, type ModelLoaderOptions } from './model-loader';
import { nextStep } from './next-step';
import { ReportBoard } from './report-board';
import { RepositoryPoll, type RepositoryPollOptions } from './repository-poll';
import { VersionBoard } from './version-board';

/** How soon a step that failed is tried again. */
const stepRetryMs = 500;

export interface ModelControlOptions extends ModelLoaderOptions, RepositoryPollOptions {
  /** Explicit mode: loaded at start; ['*'] = all. */
  readonly startupModels: readonly string[];
  /** What all its models together may take, by estimate. */
  readonly memoryBudgetBytes: number;
  /** How long a worker that is no longer heard keeps its models, before others load them. */
  readonly settleMs: number;
}

/**
 * Carries out what is wanted of the models: by what people asked for (desired state), else by this worker's own mode; and reports how
 * far it is. Follows the repository's changes in poll mode.
 */
export class ModelControl {
  readonly #context: WorkerContext;
  readonly #options: ModelControlOptions;
  readonly #reports: ReportBoard;
  readonly #loader: ModelLoader;
  readonly #poll: RepositoryPoll;
  readonly #queue = new KeyedQueue();
  /** By model: the asking whose loading serves. */
  readonly #servingRequests = new Map<string, string>();
  /** Models that have a step under way or waiting. */
  readonly #busy = new Set<string>();
  /** Start-up models that are not settled yet. */
  readonly #starting = new Set<string>();
  #started: () => void = () => undefined;
  #unserve: () => void = () => undefined;
  #view: PlacementView | undefined;
  readonly #ending = new AbortController();

  constructor(context: WorkerContext, options: ModelControlOptions) {
    this.#context = context;
    this.#options = options;
    this.#reports = new ReportBoard(context.bus, context.worker);
    const board = new VersionBoard(context);
    const ending = this.#ending.signal;
    this.#loader = new ModelLoader(options, {
      context,
      board,
      ending,
      tell: (scans) => this.#poll.tell(scans),
      isStanding: (name, { request }) => this.#view?.desires.get(name)?.request === request,
      onBroken: (name, { code, message }) =>
        this.#reports.did(name, this.#reports.get(name)?.applied ?? '', 'FAILED', { code, message }),
    });
    this.#poll = new RepositoryPoll(options, {
      context,
      board,
      reports: this.#reports,
      loader: this.#loader,
      queue: this.#queue,
      ending,
      wants: (name) => this.#wants(name),
      desireOf: (name) => this.#view?.desires.get(name),
      report: (name, scan, desire) => this.#report(name, scan, desire),
      unload: (name) => this.#unload(name),
    });
  }

  /**
   * Looks at the repositories and begins to load; the promise within settles when each start-up model is READY or
   * UNAVAILABLE. Throws ShoalError INVALID_ARGUMENT when a repository cannot be read.
   */
  async start(): Promise<{ readonly loaded: Promise<void> }> {
    const { mode, startupModels } = this.#options;
    const scans = await this.#poll.look();
    const chosen = scans.filter(({ name }) => this.#wants(name));
    if (mode === 'explicit' && !startupModels.includes('*')) {
      for (const name of startupModels) {
        if (!scans.some((scan) => scan.name === name)) this.#context.logger.error(pollFailure(name).message);
      }
    }
    for (const scan of scans) await this.#report(scan.name, scan, undefined);
    for (const { name } of chosen) this.#starting.add(name);
    const loaded = new Promise<void>((resolve) => (this.#started = resolve));
    const { bus, worker } = this.#context;
    this.#unserve = bus.serve<LookCall, LookAnswer>(instanceSubject(lookSubject, worker), ({ model }) =>
      this.#has(model),
    );
    this.#announce(false);
    this.#view = new PlacementView(this.#context.bus, this.#context.clock, this.#options.settleMs);
    this.#view.onChange(() => this.#look());
    this.#look();
    return { loaded: loaded.then(() => this.#poll.schedule()) };
  }

  /** The file of a version that serves here; undefined when it does not. */
  fileOf(key: ModelKey): string | undefined {
    return this.#loader.fileOf(key);
  }

  /** Ends the loads that go on, and takes no more. */
  abandonLoads(): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    this.#poll.cancel();
    this.#announce(true);
    this.#loader.abandonLoads();
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
    await this.#loader.close(graceMs);
    await this.#queue.idle();
    this.#unserve();
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
    for (const name of this.#loader.serving) {
      const plan = view.plans.get(name);
      if (!plan?.wanted) continue;
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
      serving: this.#loader.isServing(name),
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
      await sleep(this.#context.clock, stepRetryMs, signal).catch(() => undefined);
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
    if (scan) this.#poll.tell([scan]);
    await this.#report(name, scan, desire);
    if (this.#reports.get(name)?.refusal === undefined) return;
    const reason = scan?.ok === false ? scan.reason : 'no model repository holds it';
    this.#context.logger.error(`failed to poll '${name}': ${reason}`);
  }

  async #has(model: string): Promise<LookAnswer> {
    const found = (await scanModel(this.#options.repositories, model)) !== undefined;
    if (!found) this.#context.logger.error(`failed to poll '${model}': no model repository holds it`);
    return { found };
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
      await this.#loader.load(name, desire);
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

  async #unload(name: string): Promise<void> {
    this.#servingRequests.delete(name);
    await this.#loader.unload(name);
  }
}
