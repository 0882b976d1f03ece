/**
 * A list that is always in order, for items whose keys mostly come in rising order and mostly leave at the front:
 * both are O(1) then; anything else is a binary search and a move within one chunk. No two items may be equal, and an
 * item's key must not change while it is in.
 */
export class SortedList<I> {
  /** No chunk is empty; all items of one precede all of the next. */
  readonly #chunks: I[][] = [];
  readonly #precedes: (a: I, b: I) => boolean;
  /** Items of the first chunk that have left already. */
  #head = 0;
  #size = 0;

  constructor(precedes: (a: I, b: I) => boolean) {
    this.#precedes = precedes;
  }

  get size(): number {
    return this.#size;
  }

  get first(): I | undefined {
    return this.#chunks[0]?.[this.#head];
  }

  /** Undefined when it is empty. */
  get last(): I | undefined {
    return this.#chunks.at(-1)?.at(-1);
  }

  insert(item: I): void {
    this.#size += 1;
    const last = this.#chunks.at(-1);
    if (last === undefined) {
      this.#chunks.push([item]);
      return;
    }
    if (this.#precedes(last[last.length - 1] as I, item)) {
      if (last.length < chunkSize) last.push(item);
      else this.#chunks.push([item]);
      return;
    }
    const index = this.#chunkOf(item);
    const chunk = this.#chunks[index] as I[];
    if (index === 0 && this.#head > 0) {
      chunk.splice(0, this.#head);
      this.#head = 0;
    }
    chunk.splice(this.#placeIn(chunk, 0, item), 0, item);
    if (chunk.length >= 2 * chunkSize) this.#chunks.splice(index + 1, 0, chunk.splice(chunkSize));
  }

  /** False when it is not in. */
  remove(item: I): boolean {
    if (this.#size === 0) return false;
    const index = this.#chunkOf(item);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return false;
    const head = index === 0 ? this.#head : 0;
    const at = this.#placeIn(chunk, head, item);
    if (chunk[at] !== item) return false;
    this.#size -= 1;
    if (index === 0 && at === head) this.#advance(1);
    else {
      chunk.splice(at, 1);
      if (chunk.length === 0) this.#chunks.splice(index, 1);
    }
    return true;
  }

  /** Takes the first `count` items (or all, when there are fewer) off, in order. */
  takeFirst(count: number): I[] {
    const taken: I[] = [];
    while (taken.length < count && this.#size > 0) {
      const chunk = this.#chunks[0] as I[];
      const some = Math.min(count - taken.length, chunk.length - this.#head);
      for (let at = this.#head; at < this.#head + some; at += 1) taken.push(chunk[at] as I);
      this.#size -= some;
      this.#advance(some);
    }
    return taken;
  }

  /** Calls `visit` for item after item, in order, until it returns false. The list must not change meanwhile. */
  scan(visit: (item: I) => boolean): void {
    let at = this.#head;
    for (const chunk of this.#chunks) {
      for (; at < chunk.length; at += 1) if (!visit(chunk[at] as I)) return;
      at = 0;
    }
  }

  #advance(count: number): void {
    this.#head += count;
    if (this.#head < (this.#chunks[0] as I[]).length) return;
    this.#chunks.shift();
    this.#head = 0;
  }

  /** The first chunk whose last item does not precede `item`. */
  #chunkOf(item: I): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle] as I[];
      if (this.#precedes(chunk[chunk.length - 1] as I, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first place in `chunk`, from `low` on, whose item does not precede `item`. */
  #placeIn(chunk: I[], low: number, item: I): number {
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#precedes(chunk[middle] as I, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Large enough to make chunks rare, small enough to move one in a few hundred nanoseconds. */
const chunkSize = 64;
