import { isDeepStrictEqual } from 'node:util';
import { type ModelKey, type RetireCall, type RunnerAnnouncement, queueKey, runnersPrefix } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import { type ModelConfig, compileSignature, maxMessageBytes } from '@shoal/protocol';
import { type OnnxModelInfo, type ScannedModel, type ScannedVersion, completeConfig } from '@shoal/repository';
import type { Counter } from '@shoal/telemetry';
import { Gate } from '../control/gate';
import type { ServeSpec } from '../control-messages';
import type { WorkerContext } from '../worker-context';
import { Instance } from './instance';
import { planInstances, planSession } from './instance-plan';
import { limiterOf } from './limiter-of';
import { retireQueue } from './retire-queue';
import { runTimeoutMs } from './run-timeout';
import { compileWarmUps } from './warm-ups';

/** Instances of one version that load at the same time: a config may ask for hundreds. */
const instancesAtOnce = 4;

/** A batch waits this long for a member's bytes: a router that lives sends them at once. */
const gatherTimeoutMs = 10_000;

/** A run that nobody waits for any more may go on for at least this long before its process is ended. */
const abandonedGraceMs = 5000;

/** After its queue is drained a runner has next to nothing left to do. */
const stopGraceMs = 5000;

type Runner = Pick<RunnerAnnouncement, 'id' | 'address' | 'device' | 'limiter'>;

/** One loading of one version of a model: its runner processes, from the first to the last. */
export class Generation {
  readonly key: ModelKey;
  /** No instance can be kept alive. */
  onBroken: ((reason: ShoalError) => void) | undefined;
  readonly #context: WorkerContext;
  readonly #model: ScannedModel;
  readonly #version: ScannedVersion;
  readonly #label: string;
  readonly #instances: Instance[] = [];
  readonly #runners = new Map<Instance, Runner>();
  #info: OnnxModelInfo | undefined;
  #config: ModelConfig | undefined;
  #plan: Omit<ServeSpec, 'kind' | 'id' | 'listen'> | undefined;
  #restarts: Counter | undefined;
  #live = false;
  #stopping = false;

  constructor(context: WorkerContext, model: ScannedModel, version: ScannedVersion, generation: string) {
    this.#context = context;
    this.#model = model;
    this.#version = version;
    this.key = { model: model.name, version: version.version, generation };
    this.#label = `model '${model.name}' version ${version.version}`;
  }

  /** Complete and normalised; known once loaded. */
  get config(): ModelConfig | undefined {
    return this.#config;
  }

  /** Absolute path of the model file. */
  get file(): string {
    return this.#version.file;
  }

  get labels(): ScannedModel['labels'] {
    return this.#model.labels;
  }

  /** Resolves when every instance is ready to serve. Throws ShoalError when one cannot be; all are ended then. */
  async load(): Promise<void> {
    const { config } = this.#model;
    const { metrics } = this.#context;
    this.#restarts = metrics?.opened(this.key);
    const places = planInstances(config, this.#context.gpus);
    const warned = new Set<string>();
    for (const place of places) {
      const { load, warnings } = planSession(config, place, places.length, this.#version.file);
      for (const warning of warnings) this.#warnOnce(warned, warning);
      const instance = this.#instance(place.name, load);
      this.#instances.push(instance);
      metrics?.keeps(this.key, instance);
    }
    try {
      // The first shows whether the model is sound, and completes the config; only then the others.
      const [first, ...others] = this.#instances;
      await first?.start();
      if (this.#stopping) throw new ShoalError('UNAVAILABLE', 'the model was unloaded while it loaded');
      const gate = new Gate(instancesAtOnce);
      await Promise.all(others.map((other) => gate.run(() => other.start())));
    } catch (thrown) {
      await this.stop(0);
      throw thrown;
    }
  }

  /** Lets batching and routers know of the runners, now and after restarts. */
  goLive(): void {
    this.#live = true;
    for (const runner of this.#runners.values()) this.#announce(runner);
  }

  /**
   * Answers what was accepted, within `timeoutMs`, then ends the processes. With `patience` they serve for as long as batching
   * cannot be told, until that aborts; without, no longer than `timeoutMs`.
   */
  async retire(timeoutMs: number, patience?: AbortSignal): Promise<void> {
    const { clock, worker, logger } = this.#context;
    const started = clock.now();
    const call: RetireCall = { queue: queueKey(this.key), worker, timeoutMs };
    const late = new AbortController();
    const cancel = patience ? () => undefined : clock.schedule(timeoutMs + 1000, () => late.abort());
    const drained = await retireQueue(this.#context, call, patience ?? late.signal);
    cancel();
    if (!drained) logger.verbose(1, `${this.#label}: its queue was not drained everywhere`);
    for (const instance of this.#instances) instance.retire();
    // Where batching could not be told, the runners themselves ask it for nothing more, and finish what they have.
    const left = drained && !patience ? started + timeoutMs + 1000 - clock.now() : timeoutMs;
    await this.stop(Math.max(0, Math.min(stopGraceMs, left)));
  }

  /** Ends the processes, each after its running batch or `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#instances.map((instance) => instance.stop(graceMs)));
    const { metrics } = this.#context;
    if (metrics === undefined) return;
    for (const instance of this.#instances) metrics.left(instance);
    if (this.#restarts) metrics.closed(this.key);
    this.#restarts = undefined;
  }

  #instance(name: string, load: ReturnType<typeof planSession>['load']): Instance {
    const limiter = limiterOf(this.#model.config, name);
    const instance = new Instance(this.#context, {
      label: `${this.#label} (${name})`,
      load,
      model: this.#model.name,
      modelFolder: this.#model.directory,
      plan: (info) => this.#planFor(info),
      onServing: (runner) => this.#serving(instance, runner && { ...runner, ...(limiter && { limiter }) }),
      onRestart: () => this.#restarts?.add(1),
      onBroken: (reason) => {
        if (this.#instances.every((one) => !one.serving)) this.onBroken?.(reason);
      },
    });
    return instance;
  }

  /** The first session completes the config; every later one must be of the same model. */
  #planFor(info: OnnxModelInfo): Omit<ServeSpec, 'kind' | 'id' | 'listen'> {
    if (this.#plan && isDeepStrictEqual(info, this.#info)) return this.#plan;
    if (this.#plan) {
      throw new ShoalError('FAILED_PRECONDITION', 'the model file was replaced by another model; load it again');
    }
    const { gpus, logger } = this.#context;
    const { name, directory, labels } = this.#model;
    const { config, warnings } = completeConfig(name, this.#model.config, info, { gpus });
    for (const warning of warnings) logger.warn(warning);
    this.#info = info;
    this.#config = config;
    this.#plan = {
      queue: queueKey(this.key),
      signature: compileSignature(config, this.key.version),
      modelFolder: directory,
      labels,
      warmups: compileWarmUps(config, directory),
      runTimeoutMs: runTimeoutMs(config, this.#context.runTimeoutMs),
      abandonedGraceMs,
      gatherTimeoutMs,
      maxResponseBytes: maxMessageBytes,
      sharedMemoryBytes: this.#context.sharedMemoryBytes,
      traced: this.#context.runnerSpans !== undefined,
    };
    return this.#plan;
  }

  #serving(instance: Instance, runner: Runner | undefined): void {
    const before = this.#runners.get(instance);
    if (before) this.#context.bus.withdraw(runnersPrefix + before.id);
    if (!runner) {
      this.#runners.delete(instance);
      return;
    }
    this.#runners.set(instance, runner);
    if (this.#live) this.#announce(runner);
  }

  #announce(runner: Runner): void {
    const announcement: RunnerAnnouncement = { ...this.key, worker: this.#context.worker, ...runner };
    this.#context.bus.announce(runnersPrefix + runner.id, announcement);
  }

  #warnOnce(warned: Set<string>, warning: string): void {
    if (warned.has(warning)) return;
    warned.add(warning);
    this.#context.logger.warn(warning);
  }
}
