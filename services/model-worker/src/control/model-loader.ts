import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Desire, ModelKey } from '@shoal/bus';
import { type ShoalError, sleep, toShoalError } from '@shoal/core';
import {
  type ModelSnapshot,
  type ScanResult,
  type ScannedModel,
  type ScannedVersion,
  applyOverride,
  diffRepositories,
  pollFailure,
  scanModel,
} from '@shoal/repository';
import type { WorkerContext } from '../worker-context';
import { contentGeneration } from './content-generation';
import { Gate } from './gate';
import { ManagedModel } from './managed-model';
import type { VersionBoard } from './version-board';

/** How soon a store that was away is asked again. */
const storeRetryMs = 500;
/** How often a file that is missing is asked for again: whoever brings it sees to it that it is stored, a moment after naming it. */
const missingTries = 4;

export interface ModelLoaderOptions {
  readonly repositories: readonly string[];
  readonly concurrentLoads: number;
  /** Where the files that load calls bring along are kept. */
  readonly privateFolder: string;
  /** Makes generations' names unique; undefined: they are named by what is loaded, as other workers name them. */
  readonly generationPrefix: string | undefined;
}

export interface ModelLoaderDeps {
  readonly context: WorkerContext;
  readonly board: VersionBoard;
  /** Aborts at the end of the service. */
  readonly ending: AbortSignal;
  /** Announces what was found in the repository. */
  tell(scans: readonly ScanResult[]): void;
  /** Whether that asking is still the one that stands. */
  isStanding(name: string, desire: Desire): boolean;
  /** A model that served serves no more. */
  onBroken(name: string, reason: ShoalError): void;
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

/** Loads and unloads models, and remembers what each was loaded from. Its callers see to it that those of one model do not overlap. */
export class ModelLoader {
  readonly #options: ModelLoaderOptions;
  readonly #deps: ModelLoaderDeps;
  readonly #gate: Gate;
  readonly #models = new Map<string, ManagedModel>();
  readonly #origins = new Map<string, Origin>();
  #generations = 0;

  constructor(options: ModelLoaderOptions, deps: ModelLoaderDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#gate = new Gate(options.concurrentLoads);
  }

  isServing(name: string): boolean {
    return (this.#models.get(name)?.serving.length ?? 0) > 0;
  }

  /** The file of a version that serves here; undefined when it does not. */
  fileOf({ model, version, generation }: ModelKey): string | undefined {
    return this.#models.get(model)?.fileOf(version, generation);
  }

  /** Models of which a version serves. */
  get serving(): readonly string[] {
    return [...this.#models.keys()].filter((name) => this.isServing(name));
  }

  /** As it is asked for, or without an asking as the repository has it: what has changed. @throws ShoalError in Triton's words. */
  async load(name: string, desire: Desire | undefined): Promise<void> {
    const scan = await scanModel(this.#options.repositories, name);
    if (scan) this.#deps.tell([scan]);
    const origin = this.#origins.get(name);
    const override = overrideOf(desire);
    const gaveWay =
      desire?.kept === true && origin !== undefined && (origin.override === '' || origin.override === override);
    if (override !== '' && !gaveWay) await this.#loadOverridden(name, desire!, override, scan);
    else if (!scan?.ok) this.#refuse(name, scan?.reason ?? 'no model repository holds it');
    else {
      for (const warning of scan.warnings) this.#deps.context.logger.warn(warning);
      // An override that nobody asks for any more gives way, whether or not the repository has changed.
      const before = origin !== undefined && origin.override !== override ? undefined : origin;
      const numbers = this.#changed(scan, before);
      if (!numbers) return;
      await this.#model(name).load(scan, numbers);
      this.#origins.set(name, { snapshot: scan.snapshot, override: '', folder: undefined });
    }
    await remove(origin?.folder);
  }

  /** Loads the versions `numbers` as the repository has them now. @throws ShoalError in Triton's words. */
  async follow(scan: ScannedModel, numbers: readonly number[]): Promise<void> {
    for (const warning of scan.warnings) this.#deps.context.logger.warn(warning);
    await this.#model(scan.name).load(scan, numbers);
    await remove(this.#origins.get(scan.name)?.folder);
    this.#origins.set(scan.name, { snapshot: scan.snapshot, override: '', folder: undefined });
  }

  /** Resolves when its processes have ended. */
  async unload(name: string): Promise<void> {
    const model = this.#models.get(name);
    if (!model) return;
    await model.unload();
    const folder = this.#origins.get(name)?.folder;
    this.#origins.delete(name);
    await remove(folder);
  }

  /** Ends the loads that go on, and takes no more. */
  abandonLoads(): void {
    for (const model of this.#models.values()) model.abandonLoads();
  }

  /** What serves has `graceMs` to finish. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([...this.#models.values()].map((model) => model.close(graceMs)));
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
      this.#deps.board.model(name, '', true);
      this.#origins.set(name, { snapshot: scan?.snapshot, override: text, folder });
    } catch (thrown) {
      await remove(folder);
      const cause = thrown instanceof Error ? thrown.cause : undefined;
      if (cause instanceof Error) this.#deps.context.logger.error(`failed to poll '${name}': ${cause.message}`);
      throw thrown;
    }
  }

  /** While the store is away it is waited for, and a moment for the file: what was asked for stands. @throws ShoalError as the store, or when it stands no more. */
  async #fetch(name: string, digest: string, desire: Desire): Promise<Buffer> {
    const { context, ending } = this.#deps;
    for (let missed = 0; ;) {
      try {
        return await context.bus.blobs.get(digest);
      } catch (thrown) {
        const { code } = toShoalError(thrown);
        if (code === 'NOT_FOUND') missed += 1;
        const mayCome = code === 'UNAVAILABLE' || (code === 'NOT_FOUND' && missed <= missingTries);
        if (!mayCome || ending.aborted || !this.#deps.isStanding(name, desire)) throw thrown;
        await sleep(context.clock, storeRetryMs);
      }
    }
  }

  #refuse(name: string, reason: string): never {
    this.#deps.context.logger.error(`failed to poll '${name}': ${reason}`);
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

  #model(name: string): ManagedModel {
    let model = this.#models.get(name);
    if (!model) {
      const { generationPrefix } = this.#options;
      const { context, board } = this.#deps;
      const nextGeneration = () => `${generationPrefix ?? ''}${(this.#generations += 1)}`;
      const generationOf = (scan: ScannedModel, version: ScannedVersion) =>
        generationPrefix === undefined ? contentGeneration(scan, version) : Promise.resolve(nextGeneration());
      model = new ManagedModel(name, {
        context,
        board,
        onBroken: (reason) => {
          if (!this.isServing(name)) this.#deps.onBroken(name, reason);
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

/** What a load call put in the repository's place; '' = nothing. */
function overrideOf(desire: Desire | undefined): string {
  if (desire?.config === undefined && desire?.files === undefined) return '';
  return JSON.stringify([desire.config, (desire.files ?? []).map(({ path, digest }) => [path, digest])]);
}

async function remove(folder: string | undefined): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}
