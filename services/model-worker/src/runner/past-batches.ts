import { IdTable } from '@shoal/core';

/** Remembers the last so many batches that are over. */
export class PastBatches {
  readonly #ids = new IdTable<true>();
  /** In the order in which they ended, around a ring. */
  readonly #order: Float64Array;
  #next = 0;

  constructor(count: number) {
    this.#order = new Float64Array(count).fill(-1);
  }

  has(batchId: number): boolean {
    return this.#ids.has(batchId);
  }

  add(batchId: number): void {
    const forgotten = this.#order[this.#next] as number;
    if (forgotten >= 0) this.#ids.delete(forgotten);
    this.#order[this.#next] = batchId;
    this.#next = (this.#next + 1) % this.#order.length;
    this.#ids.set(batchId, true);
  }

  /** A batch of that id begins anew. */
  delete(batchId: number): void {
    if (this.#ids.delete(batchId)) this.#order[this.#order.indexOf(batchId)] = -1;
  }
}
