import { type CancelTimer, type Clock, type HeapItem, IndexedHeap } from '@shoal/core';

/** Something whose time is limited. */
export interface Expiring extends HeapItem {
  /** Its time has passed; it has left the heap. */
  expire(): void;
}

/** One timer for the deadlines of all calls: most calls end long before theirs, and then it costs them no timer. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heap = new IndexedHeap<Expiring>();
  #cancel: CancelTimer | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.size;
  }

  /** @param at on the clock's `now()` */
  add(item: Expiring, at: number): void {
    this.#heap.set(item, at);
    if (at < this.#wakesAt) this.#wakeAt(at);
  }

  /** The timer stays: the next call is likely to want one soon. */
  delete(item: Expiring): void {
    this.#heap.delete(item);
  }

  /** Lets go of the timer; nothing expires any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wakesAt = Number.NEGATIVE_INFINITY;
  }

  #wakeAt(at: number): void {
    this.#cancel?.();
    this.#wakesAt = at;
    this.#cancel = this.#clock.schedule(Math.ceil(at - this.#clock.now()), () => this.#woken());
  }

  #woken(): void {
    this.#cancel = undefined;
    this.#wakesAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (let first = this.#heap.first; first !== undefined && first.heapKey <= now; first = this.#heap.first) {
      this.#heap.delete(first);
      first.expire();
    }
    const next = this.#heap.firstKey;
    if (next < this.#wakesAt) this.#wakeAt(next);
  }
}
