/**
 * Bytes that peers have sent and nobody has consumed yet, over all connections that share it: the process's own bound, since each
 * connection's is its window. Whoever puts messages together may reserve their declared length here as well.
 */
export class MemoryBudget {
  readonly limit: number;
  #used = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** False, and nothing taken, where `bytes` would go beyond the limit. */
  reserve(bytes: number): boolean {
    if (this.#used + bytes > this.limit) return false;
    this.#used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}
