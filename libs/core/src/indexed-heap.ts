/** Something a heap can order and find again: the heap writes `heapIndex` (-1 = not in it), the owner `heapKey`. */
export interface HeapItem {
  heapKey: number;
  heapIndex: number;
}

/**
 * A binary min-heap that removes or re-keys any item in O(log n). An item is in one heap at most, and its key changes
 * through `set` alone.
 */
export class IndexedHeap<I extends HeapItem> {
  readonly #items: I[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The item with the smallest key. */
  get first(): I | undefined {
    return this.#items[0];
  }

  /** The smallest key; Infinity when empty. */
  get firstKey(): number {
    return this.#items[0]?.heapKey ?? Infinity;
  }

  /** Puts the item in, or moves it, to `key`; with Infinity it leaves. */
  set(item: I, key: number): void {
    if (key === Infinity) {
      this.delete(item);
      item.heapKey = key;
      return;
    }
    if (item.heapIndex < 0) {
      item.heapKey = key;
      item.heapIndex = this.#items.push(item) - 1;
      this.#rise(item);
      return;
    }
    const earlier = key < item.heapKey;
    item.heapKey = key;
    if (earlier) this.#rise(item);
    else this.#sink(item);
  }

  /** Takes the item out; nothing happens when it is not in. */
  delete(item: I): void {
    const at = item.heapIndex;
    if (at < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#items[at] = last;
    last.heapIndex = at;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: I): void {
    const items = this.#items;
    let at = item.heapIndex;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above] as I;
      if (parent.heapKey <= item.heapKey) break;
      items[at] = parent;
      parent.heapIndex = at;
      at = above;
    }
    items[at] = item;
    item.heapIndex = at;
  }

  #sink(item: I): void {
    const items = this.#items;
    const { length } = items;
    let at = item.heapIndex;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && (items[below + 1] as I).heapKey < (items[below] as I).heapKey) below += 1;
      const child = items[below] as I;
      if (child.heapKey >= item.heapKey) break;
      items[at] = child;
      child.heapIndex = at;
      at = below;
    }
    items[at] = item;
    item.heapIndex = at;
  }
}
