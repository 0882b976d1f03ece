import { statSync } from 'node:fs';
import type { Clock } from '@shoal/core';
import type { Loaded, LoadFailed, LoadSpec } from '../control-messages';
import type * as ModelSessions from './model-session';
import { RunPlacement } from './run-placement';
import { SessionWorker } from './session-worker';
import { type RunResult, type ThreadTensor, isStrings } from './thread-messages';

/** A second session costs about this much memory again, and the time of a load during which nothing else is done. */
const maxSecondBytes = 32 * 2 ** 20;
const maxSecondLoadMs = 500;

export interface SessionHostOptions {
  readonly clock: Clock;
  /** The session's thread broke down: nothing more can be run in this process. */
  readonly onDeath: (cause: Error) => void;
  /** From now on runs may hold the main thread. */
  readonly onInline: () => void;
}

/**
 * Holds the model's session: on a thread of its own, or on the main thread, where a short run saves the way to that
 * thread and back, but holds up everything else. With `auto` the thread comes first; when runs prove to be short, and
 * the model is small, a second session is made on the main thread for those.
 */
export class SessionHost {
  readonly #options: SessionHostOptions;
  readonly #placement = new RunPlacement();
  #worker: SessionWorker | undefined;
  #inline: ModelSessions.ModelSession | undefined;
  /** How the second session would be made; undefined = not at all. */
  #second: LoadSpec | undefined;

  constructor(options: SessionHostOptions) {
    this.#options = options;
  }

  async load(spec: LoadSpec): Promise<Loaded | LoadFailed> {
    const { onDeath, onInline } = this.#options;
    if (spec.execution === 'inline') {
      onInline();
      return this.#openInline(spec);
    }
    this.#worker = new SessionWorker(onDeath);
    const outcome = await this.#worker.load(spec);
    if (spec.execution === 'auto' && outcome.kind === 'loaded' && mayHaveSecond(spec, outcome)) this.#second = spec;
    return outcome;
  }

  /**
   * Runs the session; one run at a time. Gives back the result of a run on the main thread; else `ended` is called with
   * it later, and the feeds' buffers are given away.
   */
  run(
    feeds: readonly ThreadTensor[],
    fetches: readonly string[],
    ended: (result: RunResult) => void,
  ): RunResult | undefined {
    const bytes = sizeOf(feeds);
    const inline = !this.#worker || this.#placement.inline(bytes);
    if (inline && this.#inline) {
      const result = this.#inline.run(feeds, fetches);
      this.#ran(bytes, result);
      return result;
    }
    this.#worker?.run(feeds, fetches, (result) => {
      this.#ran(bytes, result);
      ended(result);
    });
    if (inline) this.#openSecond();
    return undefined;
  }

  /** Lets go of the session after the runs asked for. */
  async release(): Promise<void> {
    await this.#worker?.release();
    this.#inline?.dispose();
  }

  #ran(bytes: number, result: RunResult): void {
    if (result.kind === 'ran') this.#placement.ran(bytes, result.inferMs);
  }

  /** The main thread waits for it, but has the least to do while the other one runs. */
  #openSecond(): void {
    const spec = this.#second;
    this.#second = undefined;
    if (!spec) return;
    if (this.#openInline(spec).kind === 'loaded') this.#options.onInline();
  }

  /** ONNX Runtime is loaded when it is first needed: many a runner's main thread never needs it. */
  #openInline(spec: LoadSpec): Loaded | LoadFailed {
    const { openSession } = require('./model-session') as typeof ModelSessions;
    const { session, outcome } = openSession(spec, this.#options.clock);
    this.#inline = session;
    return outcome;
  }
}

function mayHaveSecond({ modelPath }: LoadSpec, { candidate, tookMs }: Loaded): boolean {
  return candidate.name === 'cpu' && tookMs <= maxSecondLoadMs && sizeOfFile(modelPath) <= maxSecondBytes;
}

/** Infinity where it cannot be told. */
function sizeOfFile(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? Infinity;
}

/** Bytes of tensors; of strings, what their array takes. */
function sizeOf(tensors: readonly ThreadTensor[]): number {
  let bytes = 0;
  for (const { data } of tensors) bytes += isStrings(data) ? 8 * data.length : data.byteLength;
  return bytes;
}
