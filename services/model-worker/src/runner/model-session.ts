import type { Clock } from '@shoal/core';
import type { ProviderCandidate } from '@shoal/repository';
import type { Loaded, LoadFailed, LoadSpec } from '../control-messages';
import { pooledFromBytes } from './batch-memory';
import { OrtSession } from './ort-session';
import { missingLibrary } from './providers';
import { type RunResult, type ThreadTensor, isStrings } from './thread-messages';

/** A model's session on the thread that made it. */
export class ModelSession {
  readonly #session: OrtSession;
  readonly #clock: Clock;

  constructor(session: OrtSession, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
  }

  run(feeds: readonly ThreadTensor[], fetches: readonly string[]): RunResult {
    const began = this.#clock.now();
    try {
      const outputs = this.#runSteadily(feeds, fetches);
      return { kind: 'ran', outputs, inferMs: this.#clock.now() - began, spent: spentOf(feeds) };
    } catch (thrown) {
      const exhausted = thrown instanceof RangeError;
      const inferMs = this.#clock.now() - began;
      return { kind: 'failed', reason: textOf(thrown), exhausted, inferMs, spent: spentOf(feeds) };
    }
  }

  /** Gives the model's memory back; nothing can be run any more. */
  dispose(): void {
    this.#session.dispose();
  }

  /**
   * After a run that asked for too much memory, ONNX Runtime's arena wants to grow by as much the next time, whatever
   * that run needs; it fails it with a bare bad_alloc until it has backed off far enough. So such runs are tried again.
   */
  #runSteadily(feeds: readonly ThreadTensor[], fetches: readonly string[]): ThreadTensor[] {
    for (let tries = 1; ; tries += 1) {
      try {
        return this.#session.run(feeds, fetches);
      } catch (thrown) {
        if (tries >= maxTries || !textOf(thrown).includes('std::bad_alloc')) throw thrown;
      }
    }
  }
}

/** Tries of a run that fails with a bare bad_alloc, which takes no time. */
const maxTries = 4;

/** A session, or why there is none. */
export type Opened =
  | { readonly session: ModelSession; readonly outcome: Loaded }
  | { readonly session: undefined; readonly outcome: LoadFailed };

/** Makes a session on this thread. One provider at a time: given several, ONNX Runtime fails as a whole when one does. */
export function openSession({ modelPath, sessionOptions, candidates }: LoadSpec, clock: Clock): Opened {
  const passedOver: { candidate: ProviderCandidate; reason: string }[] = [];
  for (const candidate of candidates) {
    const missing = missingLibrary(candidate);
    if (missing !== undefined) {
      passedOver.push({ candidate, reason: missing });
      continue;
    }
    const began = clock.now();
    try {
      const session = new OrtSession(modelPath, sessionOptions, candidate);
      const tookMs = clock.now() - began;
      const outcome = { kind: 'loaded', info: session.info, candidate, passedOver, tookMs } as const;
      return { session: new ModelSession(session, clock), outcome };
    } catch (thrown) {
      passedOver.push({ candidate, reason: textOf(thrown) });
    }
  }
  const reason = passedOver.at(-1)?.reason ?? 'no execution provider to try';
  return { session: undefined, outcome: { kind: 'load-failed', reason } };
}

/** The feeds' memory, as far as it is worth being used again. */
function spentOf(feeds: readonly ThreadTensor[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const { data } of feeds) {
    if (!isStrings(data) && data.byteLength >= pooledFromBytes) buffers.push(data.buffer as ArrayBuffer);
  }
  return buffers;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
