import type { CancelTimer, Clock } from '@shoal/core';

export interface RunWatchOptions {
  readonly clock: Clock;
  /** A run may take so long; 0 = no limit. */
  readonly runTimeoutMs: number;
  /** A run may go on for so long after everybody has left. */
  readonly abandonedGraceMs: number;
  readonly onHung: (reason: string) => void;
}

const nothing: CancelTimer = () => undefined;

/** Notices a run that does not end: ONNX Runtime for Node.js cannot be interrupted, only its process be ended. */
export class RunWatch {
  readonly #options: RunWatchOptions;
  #cancelLimit = nothing;
  #cancelGrace = nothing;

  constructor(options: RunWatchOptions) {
    this.#options = options;
  }

  started(): void {
    const { clock, runTimeoutMs, onHung } = this.#options;
    if (runTimeoutMs <= 0) return;
    this.#cancelLimit = clock.schedule(runTimeoutMs, () => onHung(`a run took more than ${runTimeoutMs / 1000} s`));
  }

  /** Nobody waits for the run any more. */
  abandoned(): void {
    const { clock, abandonedGraceMs, onHung } = this.#options;
    this.#cancelGrace();
    this.#cancelGrace = clock.schedule(abandonedGraceMs, () =>
      onHung(`a run went on for ${abandonedGraceMs / 1000} s after everybody had left`),
    );
  }

  ended(): void {
    this.#cancelLimit();
    this.#cancelGrace();
  }
}
