import { Worker } from 'node:worker_threads';
import type { Loaded, LoadFailed, LoadSpec } from '../control-messages';
import { distPath } from '../dist-path';
import { type FromThread, type ThreadTensor, type ToThread, buffersOf } from './thread-messages';

/** What a run gave. */
export type RunResult = Extract<FromThread, { kind: 'ran' | 'failed' }>;

/** The main thread's handle of the ONNX Runtime thread: one session, runs in the order they are asked for. */
export class SessionHost {
  readonly #worker = new Worker(distPath('runner/session-thread.js'));
  readonly #runs = new Map<number, (result: RunResult) => void>();
  #loaded: ((message: Loaded | LoadFailed) => void) | undefined;
  #released: (() => void) | undefined;
  #nextRun = 0;

  /** @param onDeath the thread broke down: nothing more can be run in this process. */
  constructor(onDeath: (cause: Error) => void) {
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', onDeath);
  }

  load(spec: LoadSpec): Promise<Loaded | LoadFailed> {
    return new Promise((resolve) => {
      this.#loaded = resolve;
      this.#post({ ...spec, kind: 'load' });
    });
  }

  /** Runs the session. The buffers of `feeds` are given away. */
  run(feeds: readonly ThreadTensor[], fetches: readonly string[]): Promise<RunResult> {
    return new Promise((resolve) => {
      const run = this.#nextRun++;
      this.#runs.set(run, resolve);
      this.#post({ kind: 'run', run, feeds, fetches }, buffersOf(feeds));
    });
  }

  /** Lets go of the session after the runs asked for; the thread then ends. */
  release(): Promise<void> {
    return new Promise((resolve) => {
      this.#released = resolve;
      this.#post({ kind: 'release' });
    });
  }

  #post(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromThread): void {
    if (message.kind === 'loaded' || message.kind === 'load-failed') this.#loaded?.(message);
    else if (message.kind === 'released') this.#released?.();
    else {
      this.#runs.get(message.run)?.(message);
      this.#runs.delete(message.run);
    }
  }
}
