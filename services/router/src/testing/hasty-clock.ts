import { type Clock, systemClock } from '@shoal/core';
import { until } from './simple-request';

/** Real time, but that a second passes in a moment when a test says so: files are looked at every second. */
export class HastyClock implements Clock {
  readonly #waiting = new Set<() => void>();
  /** Has the next timer of more than this many milliseconds fail to be set. */
  failFrom = Infinity;
  now = () => systemClock.now();
  epochMs = () => systemClock.epochMs();

  schedule(delayMs: number, fire: () => void): () => void {
    if (delayMs >= this.failFrom) {
      this.failFrom = Infinity;
      throw new Error('no timer');
    }
    if (delayMs !== 1_000) return systemClock.schedule(delayMs, fire);
    this.#waiting.add(fire);
    return () => this.#waiting.delete(fire);
  }

  /** Resolves when everything that waits for a second has been done and waits again. */
  async pass(): Promise<void> {
    const due = [...this.#waiting];
    this.#waiting.clear();
    for (const fire of due) fire();
    await until(() => this.#waiting.size >= due.length);
  }
}
