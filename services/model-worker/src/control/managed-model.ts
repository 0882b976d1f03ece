import { leavingReason, unloadedReason } from '@shoal/bus';
import { ShoalError, toShoalError } from '@shoal/core';
import { type ScannedModel, type ScannedVersion, loadReason } from '@shoal/repository';
import { Generation } from '../supervisor/generation';
import type { WorkerContext } from '../worker-context';
import type { Gate } from './gate';
import type { VersionBoard } from './version-board';

export interface ManagedModelDeps {
  readonly context: WorkerContext;
  readonly board: VersionBoard;
  /** Bounds the loads that go on at the same time in this worker. */
  readonly gate: Gate;
  /** A version that served is given up. */
  onBroken(reason: ShoalError): void;
  /** A name for what does not serve. */
  nextGeneration(): string;
  /** The name of the generation that a loading of this version is: where it is the same, one queue serves it. */
  generationOf(model: ScannedModel, version: ScannedVersion): Promise<string>;
}

/** One model: which generation of which version serves. Its callers see to it that its loads and unloads do not overlap. */
export class ManagedModel {
  readonly name: string;
  readonly #deps: ManagedModelDeps;
  readonly #serving = new Map<number, Generation>();
  readonly #loading = new Set<Generation>();
  /** Versions that are told to be UNAVAILABLE for a reason of their own. */
  readonly #failed = new Set<number>();
  /** Retirements that go on in the background. */
  readonly #leaving = new Set<Promise<void>>();
  /** How long what was replaced may wait for batching to hear of it: until the end of the service. */
  readonly #patience = new AbortController();
  #closed = false;

  constructor(name: string, deps: ManagedModelDeps) {
    this.name = name;
    this.#deps = deps;
  }

  /** Versions that serve. */
  get serving(): readonly number[] {
    return [...this.#serving.keys()];
  }

  /** The file that serves as a generation of a version; undefined when that serves no more. */
  fileOf(version: number, generation: string): string | undefined {
    const serving = this.#serving.get(version);
    return serving?.key.generation === generation ? serving.file : undefined;
  }

  /**
   * Loads the versions `numbers` of a scanned model anew and retires what they replace, and what the scan no longer holds.
   * All come up, or none does and what served goes on serving: then throws INVALID_ARGUMENT in Triton's words.
   */
  async load(model: ScannedModel, numbers: readonly number[]): Promise<void> {
    const wanted = model.versions.filter(({ version }) => numbers.includes(version));
    const failures = new Map<number, string>();
    const fresh: Generation[] = [];
    for (const version of wanted) {
      const generation = new Generation(
        this.#deps.context,
        model,
        version,
        await this.#deps.generationOf(model, version),
      );
      if (!this.#serving.has(version.version)) this.#deps.board.loading(generation.key);
      if (version.reason === '') fresh.push(generation);
      else failures.set(version.version, version.reason);
    }
    await Promise.all(fresh.map((generation) => this.#bringUp(generation, failures)));
    if (failures.size > 0) {
      await this.#abandon(wanted, fresh, failures);
      throw loadFailed(this.name, failures);
    }
    for (const generation of fresh) this.#replace(generation);
    const kept = new Set(model.versions.map(({ version }) => version));
    for (const [version, generation] of this.#serving) if (!kept.has(version)) this.#background(this.#end(generation));
  }

  /** Ends all versions; resolves when their processes have ended. */
  async unload(): Promise<void> {
    const { drainTimeoutMs } = this.#deps.context;
    await Promise.all([...this.#serving.values()].map((generation) => this.#end(generation, drainTimeoutMs)));
    await Promise.all(this.#leaving);
    // Nobody wants them any more, so that they failed no longer matters.
    for (const version of this.#failed) {
      this.#deps.board.unavailable(
        { model: this.name, version, generation: this.#deps.nextGeneration() },
        unloadedReason,
      );
    }
    this.#failed.clear();
  }

  /** Ends what loads, at once; takes no more loads. */
  abandonLoads(): void {
    this.#closed = true;
    for (const generation of this.#loading) this.#background(generation.stop(0));
  }

  /** For the end of the service: what serves has `graceMs` to finish. */
  async close(graceMs: number): Promise<void> {
    this.abandonLoads();
    const cancel = this.#deps.context.clock.schedule(graceMs, () => this.#patience.abort());
    await Promise.all([...this.#serving.values()].map((generation) => this.#leave(generation, graceMs)));
    await Promise.all(this.#leaving);
    cancel();
  }

  async #bringUp(generation: Generation, failures: Map<number, string>): Promise<void> {
    this.#loading.add(generation);
    try {
      await this.#deps.gate.run(() => {
        if (this.#closed) throw new ShoalError('UNAVAILABLE', 'the server is shutting down');
        return generation.load();
      });
    } catch (thrown) {
      const error = toShoalError(thrown);
      if (!(thrown instanceof ShoalError)) {
        this.#deps.context.logger.error(`loading '${this.name}' failed unexpectedly: ${String(thrown)}`);
      }
      failures.set(generation.key.version, loadReason(error));
    } finally {
      this.#loading.delete(generation);
    }
  }

  /** A load that failed in part is given up as a whole. */
  async #abandon(
    wanted: readonly ScannedVersion[],
    fresh: readonly Generation[],
    failures: ReadonlyMap<number, string>,
  ): Promise<void> {
    await Promise.all(fresh.map((generation) => generation.stop(0)));
    for (const { version } of wanted) {
      if (this.#serving.has(version)) continue;
      const key = { model: this.name, version, generation: this.#deps.nextGeneration() };
      if (failures.has(version)) this.#failed.add(version);
      this.#deps.board.unavailable(key, failures.get(version) ?? unloadedReason);
    }
  }

  #replace(generation: Generation): void {
    const { board, context } = this.#deps;
    const { version } = generation.key;
    const before = this.#serving.get(version);
    this.#serving.set(version, generation);
    this.#failed.delete(version);
    generation.onBroken = (reason) => this.#broken(generation, reason);
    board.ready(generation);
    generation.goLive();
    context.logger.info(`successfully loaded '${this.name}' version ${version}`);
    if (before) this.#background(before.retire(context.drainTimeoutMs, this.#patience.signal));
  }

  async #end(generation: Generation, timeoutMs?: number): Promise<void> {
    const { board, context } = this.#deps;
    this.#serving.delete(generation.key.version);
    board.unloading(generation);
    // Nobody waits for the end of a version that its repository no longer has.
    if (timeoutMs === undefined) await generation.retire(context.drainTimeoutMs, this.#patience.signal);
    else await generation.retire(timeoutMs);
    // The version may have been loaded again meanwhile.
    if (!this.#serving.has(generation.key.version)) board.unavailable(generation.key, unloadedReason);
    context.logger.info(`successfully unloaded '${this.name}' version ${generation.key.version}`);
  }

  /** It is not unloaded: others may serve it, and if none does it is missed. That this worker is gone tells the rest. */
  async #leave(generation: Generation, graceMs: number): Promise<void> {
    this.#serving.delete(generation.key.version);
    this.#deps.board.unloading(generation, leavingReason);
    await generation.retire(graceMs);
  }

  #broken(generation: Generation, reason: ShoalError): void {
    const { version } = generation.key;
    if (this.#serving.get(version) !== generation) return;
    this.#serving.delete(version);
    this.#failed.add(version);
    this.#deps.board.unavailable(generation.key, loadReason(reason));
    this.#deps.context.logger.error(`'${this.name}' version ${version} is given up: ${reason.message}`);
    this.#deps.onBroken(reason);
    this.#background(generation.retire(0));
  }

  #background(task: Promise<void>): void {
    const tracked = task.finally(() => this.#leaving.delete(tracked));
    this.#leaving.add(tracked);
  }
}

function loadFailed(model: string, failures: ReadonlyMap<number, string>): ShoalError {
  const versions = [...failures].sort(([a], [b]) => a - b);
  const states = versions.map(([version, reason]) => `version ${version} is at UNAVAILABLE state: ${reason};`);
  return new ShoalError('INVALID_ARGUMENT', `load failed for model '${model}': ${states.join('')}\n`);
}
