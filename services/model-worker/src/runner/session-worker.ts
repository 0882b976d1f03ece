import { Worker } from 'node:worker_threads';
import type { Loaded, LoadFailed, LoadSpec } from '../control-messages';
import { distPath } from '../dist-path';
import { type FromThread, type RunResult, type ThreadTensor, type ToThread, buffersOf } from './thread-messages';

/** The main thread's handle of the session thread: one session, runs in the order in which they are asked for. */
export class SessionWorker {
  readonly #worker = new Worker(distPath('runner/session-thread.js'));
  readonly #runs: ((result: RunResult) => void)[] = [];
  #loaded: ((message: Loaded | LoadFailed) => void) | undefined;
  #released: (() => void) | undefined;

  /** @param onDeath the thread broke down: nothing more can be run in this process. */
  constructor(onDeath: (cause: Error) => void) {
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', onDeath);
  }

  load(spec: LoadSpec): Promise<Loaded | LoadFailed> {
    return new Promise((resolve) => {
      this.#loaded = resolve;
      this.#post(spec);
    });
  }

  /** Runs the session. The buffers of `feeds` are given away. */
  run(feeds: readonly ThreadTensor[], fetches: readonly string[], ended: (result: RunResult) => void): void {
    this.#runs.push(ended);
    this.#post({ kind: 'run', feeds, fetches }, buffersOf(feeds));
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
    if (message.kind === 'ran' || message.kind === 'failed') this.#runs.shift()?.(message);
    else if (message.kind === 'released') this.#released?.();
    else this.#loaded?.(message);
  }
}
