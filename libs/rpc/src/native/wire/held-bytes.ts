const blockSize = 16_384;

/** Bytes in the order they came, copied together so that many small pieces are held as few large ones. */
export class HeldBytes {
  readonly #blocks: Buffer[] = [];
  /** Of the first block, how much has been taken; of the last, how much is filled. */
  #taken = 0;
  #filled = blockSize;

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  add(bytes: Buffer, start: number, end: number): void {
    while (start < end) {
      if (this.#filled === blockSize) {
        this.#blocks.push(Buffer.allocUnsafeSlow(blockSize));
        this.#filled = 0;
      }
      const count = bytes.copy(
        this.#blocks.at(-1)!,
        this.#filled,
        start,
        Math.min(end, start + blockSize - this.#filled),
      );
      this.#filled += count;
      start += count;
    }
  }

  /**
   * Gives the oldest bytes to `read(bytes, start, end)`, which returns up to where it has read them: called until all are read, or it
   * stops short. `read` must not `add`.
   */
  drain(read: (bytes: Buffer, start: number, end: number) => number): void {
    for (let first = this.#blocks[0]; first !== undefined; first = this.#blocks[0]) {
      const end = this.#blocks.length === 1 ? this.#filled : blockSize;
      const at = read(first, this.#taken, end);
      if (at < end) {
        this.#taken = at;
        return;
      }
      this.#blocks.shift();
      this.#taken = 0;
      if (this.#blocks.length === 0) this.#filled = blockSize;
    }
  }
}
