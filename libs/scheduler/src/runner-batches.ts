import type { Batch } from './batch';

/** The batches that a runner has, in the order of their grants: a few, that mostly end in that order. */
export class RunnerBatches<T> {
  readonly #batches: Batch<T>[] = [];

  get size(): number {
    return this.#batches.length;
  }

  get(id: number): Batch<T> | undefined {
    for (const batch of this.#batches) if (batch.id === id) return batch;
    return undefined;
  }

  add(batch: Batch<T>): void {
    this.#batches.push(batch);
  }

  delete(batch: Batch<T>): void {
    const batches = this.#batches;
    if (batches[0] === batch) batches.shift();
    else {
      const at = batches.indexOf(batch);
      if (at >= 0) batches.splice(at, 1);
    }
  }

  /** As they are now; not to be changed. */
  values(): readonly Batch<T>[] {
    return this.#batches;
  }

  clear(): void {
    this.#batches.length = 0;
  }
}
