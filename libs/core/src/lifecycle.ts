/**
 * STARTING: not yet able to serve. READY: serving. DRAINING: takes nothing new, finishes what it accepted.
 * STOPPED: nothing is left running.
 */
export type LifecycleState = 'STARTING' | 'READY' | 'DRAINING' | 'STOPPED';

const order: readonly LifecycleState[] = ['STARTING', 'READY', 'DRAINING', 'STOPPED'];

/** A service's state; it only moves forward. */
export class Lifecycle {
  #state: LifecycleState = 'STARTING';
  readonly #listeners = new Set<(state: LifecycleState) => void>();

  get state(): LifecycleState {
    return this.#state;
  }

  /** Moves on to `next`; a step backwards or to the same state does nothing. */
  advance(next: LifecycleState): void {
    if (order.indexOf(next) <= order.indexOf(this.#state)) return;
    this.#state = next;
    for (const listener of this.#listeners) listener(next);
  }

  /** Calls `listener` on each change; returns what stops that. */
  onChange(listener: (state: LifecycleState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
