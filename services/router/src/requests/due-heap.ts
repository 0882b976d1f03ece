/** What the heap orders; `heapIndex` is the heap's own book-keeping, -1 while outside. */
export interface Due {
  /** Clock time, ms; finite while inside. */
  dueAt: number;
  heapIndex: number;
}

/** A binary heap of what falls due first, from which any element can be taken out. */
export class DueHeap<T extends Due> {
  readonly #items: T[] = [];

  get first(): T | undefined {
    return this.#items[0];
  }

  get size(): number {
    return this.#items.length;
  }

  /** Puts the item where its `dueAt` belongs, in or out: Infinity takes it out. */
  update(item: T, dueAt: number): void {
    item.dueAt = dueAt;
    if (dueAt === Infinity) {
      this.delete(item);
      return;
    }
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length;
      this.#items.push(item);
    }
    this.#settle(item);
  }

  delete(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#items[index] = last;
    last.heapIndex = index;
    this.#settle(last);
  }

  /** Moves the item up or down to its place. */
  #settle(item: T): void {
    const items = this.#items;
    let index = item.heapIndex;
    for (let parent = (index - 1) >> 1; index > 0; parent = (index - 1) >> 1) {
      const above = items[parent] as T;
      if (above.dueAt <= item.dueAt) break;
      items[index] = above;
      above.heapIndex = index;
      index = parent;
    }
    for (let child = 2 * index + 1; child < items.length; child = 2 * index + 1) {
      const right = items[child + 1];
      if (right !== undefined && right.dueAt < (items[child] as T).dueAt) child += 1;
      const below = items[child] as T;
      if (below.dueAt >= item.dueAt) break;
      items[index] = below;
      below.heapIndex = index;
      index = child;
    }
    items[index] = item;
    item.heapIndex = index;
  }
}
