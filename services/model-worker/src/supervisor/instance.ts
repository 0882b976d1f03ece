import { rmSync } from 'node:fs';
import { type CancelTimer, ShoalError, toShoalError } from '@shoal/core';
import { type OnnxModelInfo, describeSession, sanitiseLoadError } from '@shoal/repository';
import type { FromRunner, Loaded, LoadFailed, LoadSpec, ServeSpec } from '../control-messages';
import type { RunnerState } from '../metrics/worker-metrics';
import type { WorkerContext } from '../worker-context';
import { BackOff } from './back-off';
import { deviceOf } from './device';
import { type RunnerExit, RunnerProcess } from './runner-process';

/** Starts before the first READY: a crash may be bad luck, three are not. */
const maxFirstAttempts = 3;

/** Restarts in a row that do not reach READY before the instance counts as broken. It is tried on, slowly. */
const maxRestarts = 5;

/** A runner that served this long starts with a clean slate when it dies. */
const stableMs = 60_000;

const pingMs = 5000;
const maxMissedPings = 3;

/** A run on the main thread may take this long before it is repeated where it can take its time. */
const inlineLimitMs = 5000;

/** More often than this a runner is not pinged. */
const leastPingMs = 20;

/** stderr often arrives just after the message that it explains. */
const outputLagMs = 100;

export interface InstanceOptions {
  /** For the log. */
  readonly label: string;
  readonly load: LoadSpec;
  readonly model: string;
  /** Absolute path of the model's folder, which no message may show. */
  readonly modelFolder: string;
  /**
   * What to serve, given the session's signature.
   * @throws ShoalError when the model is not what its config says, or no longer what it was.
   */
  readonly plan: (info: OnnxModelInfo) => Omit<ServeSpec, 'kind' | 'id' | 'listen' | 'tls'>;
  /** A runner serves, or (undefined) no longer. */
  readonly onServing: (
    runner: { readonly id: string; readonly address: string; readonly device: string } | undefined,
  ) => void;
  /** A runner that had served, or was to serve again, ended unasked. */
  readonly onRestart: () => void;
  /** Restarts do not help. */
  readonly onBroken: (reason: ShoalError) => void;
}

/** Keeps one runner process of a model version alive, from the first load until `stop`. */
export class Instance {
  readonly #context: WorkerContext;
  readonly #options: InstanceOptions;
  readonly #backOff: BackOff;
  #process: RunnerProcess | undefined;
  #id = '';
  #device = '';
  #servingSince: number | undefined;
  /** It has been serving. */
  #served = false;
  /** Why the load came to nothing, when the process itself could tell. */
  #fault: ShoalError | undefined;
  #first: { resolve(): void; reject(error: ShoalError): void } | undefined;
  readonly #stopped: (() => void)[] = [];
  #stopping = false;
  #missedPings = 0;
  /** Runs may hold the runner's main thread, which then answers no ping. */
  #inline = false;
  /** A run held it for too long: the next runner makes all runs on their own thread, where time does not matter. */
  #threadOnly = false;
  #runTimeoutMs = 0;
  /** Restarts in a row that came to nothing. */
  #failedRestarts = 0;
  #cancelTimer: CancelTimer = () => undefined;
  #cancelPing: CancelTimer = () => undefined;

  constructor(context: WorkerContext, options: InstanceOptions) {
    this.#context = context;
    this.#options = options;
    this.#backOff = new BackOff(context.random);
  }

  get serving(): boolean {
    return this.#servingSince !== undefined;
  }

  get state(): RunnerState {
    if (this.serving) return 'serving';
    return this.#served ? 'restarting' : 'starting';
  }

  /** Resolves when the runner is ready to accept links; rejects with the ShoalError that tells why it never will be. */
  start(): Promise<void> {
    if (this.#stopping) return Promise.reject(stoppedError());
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#attempt();
    });
  }

  /** Tells the runner to ask for no more work. */
  retire(): void {
    this.#process?.send({ kind: 'retire' });
  }

  /** Ends the runner after what it was granted, or when `graceMs` are over; at once while it loads. */
  stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#cancelPing();
    this.#cancelTimer();
    const process = this.#process;
    if (!process) {
      this.#settleFirst(stoppedError());
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#stopped.push(resolve);
      if (!this.serving || graceMs <= 0) {
        process.kill('stopped');
        return;
      }
      process.send({ kind: 'stop' });
      this.#cancelTimer = this.#context.clock.schedule(graceMs, () => process.kill('did not end in time'));
    });
  }

  #attempt(): void {
    const { clock, cwd, memoryLimitBytes, loadTimeoutMs } = this.#context;
    this.#fault = undefined;
    this.#inline = false;
    this.#id = this.#context.nextRunnerId();
    const process = new RunnerProcess({
      clock,
      cwd,
      memoryLimitBytes,
      onMessage: (message) => this.#receive(process, message),
      onOutput: (line) => this.#context.logger.verbose(1, `runner: ${line}`, { model: this.#options.label }),
      onExit: (exit) => this.#exited(exit),
    });
    this.#process = process;
    const { load } = this.#options;
    process.send(this.#threadOnly ? { ...load, execution: 'thread' } : load);
    this.#cancelTimer = clock.schedule(loadTimeoutMs, () => {
      this.#giveUp(process, new ShoalError('UNAVAILABLE', `the model did not load within ${loadTimeoutMs / 1000} s`));
    });
  }

  #giveUp(process: RunnerProcess, fault: ShoalError): void {
    this.#fault = fault;
    process.kill(fault.message);
  }

  #receive(process: RunnerProcess, message: FromRunner): void {
    if (message.kind === 'spans') this.#context.runnerSpans?.(Buffer.from(message.encoded, 'base64'), message.count);
    if (this.#stopping || message.kind === 'spans') return;
    if (message.kind === 'loaded') this.#loaded(process, message);
    else if (message.kind === 'serving') this.#serve(process, message.address);
    else if (message.kind === 'load-failed') this.#giveUp(process, this.#loadError(message));
    else if (message.kind === 'hung') process.kill(message.reason);
    else if (message.kind === 'inline') this.#beginInline(process);
    else this.#missedPings = 0;
  }

  #loaded(process: RunnerProcess, { info, candidate, passedOver }: Loaded): void {
    const { logger, clock } = this.#context;
    this.#device = deviceOf(candidate);
    for (const passed of passedOver) {
      const { label } = this.#options;
      const reason = this.#loadError(passed).message;
      clock.schedule(outputLagMs, () => {
        logger.warn(
          `${label}: ${deviceOf(passed.candidate)} cannot be used (${reason}); falls back to ${this.#device}`,
          {
            output: process.output.slice(-2).join(' | '),
          },
        );
      });
    }
    try {
      const plan = this.#options.plan(describeSession(info));
      this.#runTimeoutMs = plan.runTimeoutMs;
      const tls = this.#context.runnerTls();
      const listen = this.#context.listenAddress(this.#id);
      process.send({ kind: 'serve', id: this.#id, listen, ...(tls && { tls }), ...plan });
    } catch (thrown) {
      this.#giveUp(process, toShoalError(thrown));
    }
  }

  #loadError({ reason, code }: Pick<LoadFailed, 'reason' | 'code'>): ShoalError {
    if (code !== undefined) return new ShoalError(code, reason);
    return new ShoalError('INTERNAL', sanitiseLoadError(reason, this.#options.modelFolder, this.#options.model));
  }

  #serve(process: RunnerProcess, address: string): void {
    this.#cancelTimer();
    this.#servingSince = this.#context.clock.now();
    this.#served = true;
    this.#failedRestarts = 0;
    this.#missedPings = 0;
    this.#ping(process);
    this.#options.onServing({ id: this.#id, address, device: this.#device });
    this.#first?.resolve();
    this.#first = undefined;
  }

  #beginInline(process: RunnerProcess): void {
    this.#inline = true;
    this.#context.logger.verbose(1, `${this.#options.label}: runs may be made on the runner's main thread from now on`);
    if (!this.serving) return;
    this.#cancelPing();
    this.#ping(process);
  }

  #ping(process: RunnerProcess): void {
    const inlineMs = Math.min(this.#runTimeoutMs || inlineLimitMs, inlineLimitMs);
    const everyMs = this.#inline ? Math.max(inlineMs / maxMissedPings, leastPingMs) : pingMs;
    this.#cancelPing = this.#context.clock.schedule(everyMs, () => {
      this.#missedPings += 1;
      if (this.#missedPings > maxMissedPings) {
        this.#threadOnly ||= this.#inline;
        process.kill('does not answer its supervisor');
        return;
      }
      process.send({ kind: 'ping' });
      this.#ping(process);
    });
  }

  #exited(exit: RunnerExit): void {
    const { clock, logger } = this.#context;
    const servingSince = this.#servingSince;
    this.#process = undefined;
    this.#servingSince = undefined;
    this.#cancelTimer();
    this.#cancelPing();
    if (servingSince !== undefined) this.#options.onServing(undefined);
    this.#removeSocket();
    if (this.#stopping) {
      this.#settleFirst(stoppedError());
      for (const resolve of this.#stopped) resolve();
      return;
    }
    const output = exit.output.slice(-4).join(' | ');
    if (servingSince !== undefined) {
      if (clock.now() - servingSince >= stableMs) this.#backOff.reset();
      logger.warn(`${this.#options.label}: the runner process ended (${exit.reason}); it is started again`, { output });
      this.#options.onRestart();
      this.#again();
      return;
    }
    const crash = new ShoalError('INTERNAL', `the runner process ended while it loaded the model (${exit.reason})`);
    const fault = this.#fault ?? crash;
    if (this.#first) {
      if (this.#fault || this.#backOff.attempts + 1 >= maxFirstAttempts) this.#settleFirst(fault);
      else this.#again();
      return;
    }
    logger.warn(`${this.#options.label}: the runner process could not be started again: ${fault.message}`, { output });
    this.#failedRestarts += 1;
    this.#options.onRestart();
    if (this.#failedRestarts >= maxRestarts) this.#options.onBroken(fault);
    if (!this.#stopping) this.#again();
  }

  /** A process that was killed leaves it behind. */
  #removeSocket(): void {
    const [scheme, path] = this.#context.listenAddress(this.#id).split(/:(.*)/s);
    if (scheme === 'unix' && path) rmSync(path, { force: true });
  }

  #again(): void {
    this.#cancelTimer = this.#context.clock.schedule(this.#backOff.next(), () => this.#attempt());
  }

  #settleFirst(error: ShoalError): void {
    this.#first?.reject(error);
    this.#first = undefined;
  }
}

function stoppedError(): ShoalError {
  return new ShoalError('UNAVAILABLE', 'the model was unloaded while it loaded');
}
