import type { CancelTimer, Clock } from '@shoal/core';

export interface RunWatchOptions {
  readonly clock: Clock;
  /** A run may take so long; 0 = no limit. */
  readonly runTimeoutMs: number;
  /** A run may go on for at least so long after everybody has left. */
  readonly abandonedGraceMs: number;
  readonly onHung: (reason: string) => void;
}

/** Before any run has ended nobody knows how long one takes, and the first is the slowest: it prepares the device. */
const firstRunGraceMs = 10_000;

/** An abandoned run that takes so many times as long as the longest before is taken for hung. */
const patience = 4;

const nothing: CancelTimer = () => undefined;

/**
 * Notices a run that does not end: ONNX Runtime for Node.js cannot be interrupted, only its process be ended. That costs
 * everybody a new load of the model, so clients that give up early do not end a run that is merely as long as others.
 */
export class RunWatch {
  readonly #options: RunWatchOptions;
  #startedAt = 0;
  /** The longest run that has ended, ms. */
  #longestMs: number | undefined;
  #cancelLimit = nothing;
  #cancelGrace = nothing;

  constructor(options: RunWatchOptions) {
    this.#options = options;
  }

  started(): void {
    const { clock, runTimeoutMs, onHung } = this.#options;
    this.#startedAt = clock.now();
    if (runTimeoutMs <= 0) return;
    this.#cancelLimit = clock.schedule(runTimeoutMs, () => onHung(`a run took more than ${runTimeoutMs / 1000} s`));
  }

  /** Nobody waits for the run any more. */
  abandoned(): void {
    const { clock, abandonedGraceMs, onHung } = this.#options;
    const usual = this.#longestMs === undefined ? firstRunGraceMs : patience * this.#longestMs;
    const graceMs = Math.max(abandonedGraceMs, usual);
    this.#cancelGrace();
    this.#cancelGrace = clock.schedule(graceMs, () =>
      onHung(`a run went on for ${Math.round(graceMs) / 1000} s after everybody had left`),
    );
  }

  ended(): void {
    this.#longestMs = Math.max(this.#longestMs ?? 0, this.#options.clock.now() - this.#startedAt);
    this.#cancelLimit();
    this.#cancelGrace();
  }
}
