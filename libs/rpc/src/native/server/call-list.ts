/** Something that a list can hold: the list writes its two links. */
export interface Listed<T> {
  listPrevious: T | null;
  listNext: T | null;
}

/** Calls that are not over, as a doubly linked list: to enter and to leave costs a few writes. */
export class CallList<T extends Listed<T>> {
  #first: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const first = this.#first;
    item.listNext = first;
    if (first !== null) first.listPrevious = item;
    this.#first = item;
    this.#size++;
  }

  /** Takes out an item that is in. */
  delete(item: T): void {
    const { listPrevious, listNext } = item;
    if (listPrevious === null) this.#first = listNext;
    else listPrevious.listNext = listNext;
    if (listNext !== null) listNext.listPrevious = listPrevious;
    item.listPrevious = null;
    item.listNext = null;
    this.#size--;
  }

  /** The items now, for a walk in which they may leave. */
  toArray(): T[] {
    const items: T[] = [];
    for (let item = this.#first; item !== null; item = item.listNext) items.push(item);
    return items;
  }
}
