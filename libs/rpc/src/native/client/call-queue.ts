/** Something that can wait in a queue: the queue writes these fields. */
export interface Queued<T extends Queued<T>> {
  queue: CallQueue<T> | null;
  queuePrevious: T | null;
  queueNext: T | null;
}

/** Calls in the order they came; any of them can leave at no cost. */
export class CallQueue<T extends Queued<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    const last = this.#last;
    item.queue = this;
    item.queuePrevious = last;
    if (last === null) this.#first = item;
    else last.queueNext = item;
    this.#last = item;
    this.#size++;
  }

  /** Puts it in front of all others. */
  putBack(item: T): void {
    const first = this.#first;
    item.queue = this;
    item.queueNext = first;
    if (first === null) this.#last = item;
    else first.queuePrevious = item;
    this.#first = item;
    this.#size++;
  }

  shift(): T | null {
    const first = this.#first;
    if (first !== null) this.delete(first);
    return first;
  }

  /** Takes out an item that is in. */
  delete(item: T): void {
    const { queuePrevious, queueNext } = item;
    if (queuePrevious === null) this.#first = queueNext;
    else queuePrevious.queueNext = queueNext;
    if (queueNext === null) this.#last = queuePrevious;
    else queueNext.queuePrevious = queuePrevious;
    item.queue = null;
    item.queuePrevious = null;
    item.queueNext = null;
    this.#size--;
  }
}
