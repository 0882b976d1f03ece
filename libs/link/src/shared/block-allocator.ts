/** What blocks' lengths are rounded up to. */
const granule = 4096;

/** More blocks than this at a time are refused: the lists below are searched one by one. */
const maxBlocks = 4096;

interface Gap {
  start: number;
  end: number;
}

/**
 * Places blocks in a range of a file: the lowest gap that is large enough, so that what is in use stays together at the
 * beginning. Offsets and lengths are in bytes; it only counts, and touches no memory.
 */
export class BlockAllocator {
  readonly #gaps: Gap[];
  /** Ends of the blocks in use, by offset. */
  readonly #blocks = new Map<number, number>();
  #used = 0;

  /** @param start Where the first block begins. Others follow at whole granules (4096 bytes) from it. */
  constructor(start: number, end: number) {
    this.#gaps = end > start ? [{ start, end }] : [];
  }

  /** Bytes in use, rounded up to granules. */
  get used(): number {
    return this.#used;
  }

  /** Blocks in use. */
  get blocks(): number {
    return this.#blocks.size;
  }

  /** Finds a place for `length` bytes (at least 1); undefined when there is none. */
  allocate(length: number): number | undefined {
    if (this.#blocks.size >= maxBlocks) return undefined;
    const size = Math.ceil(length / granule) * granule;
    const at = this.#gaps.findIndex(({ start, end }) => end - start >= size);
    const gap = this.#gaps[at];
    if (!gap) return undefined;
    const offset = gap.start;
    gap.start += size;
    if (gap.start === gap.end) this.#gaps.splice(at, 1);
    this.#blocks.set(offset, offset + size);
    this.#used += size;
    return offset;
  }

  /** Takes a block back. False when there is none at this offset. */
  free(offset: number): boolean {
    const end = this.#blocks.get(offset);
    if (end === undefined) return false;
    this.#blocks.delete(offset);
    this.#used -= end - offset;
    let at = this.#gaps.findIndex(({ start }) => start >= end);
    if (at === -1) at = this.#gaps.length;
    const before = this.#gaps[at - 1];
    const after = this.#gaps[at];
    const joinsBefore = before?.end === offset;
    const joinsAfter = after?.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#gaps.splice(at, 1);
    } else if (joinsBefore) {
      before.end = end;
    } else if (joinsAfter) {
      after.start = offset;
    } else {
      this.#gaps.splice(at, 0, { start: offset, end });
    }
    return true;
  }
}
