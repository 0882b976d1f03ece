import type { Runner } from './runner';

/**
 * Runners in the order in which they came in. A linked list through the runners themselves, each of which is in one list at
 * most: to move one is a few assignments, and the first one is at hand. (In a Set those that left stay as gaps until it is
 * made anew, and whoever wants the first one goes over all of them.)
 */
export class RunnerList<T> {
  first: Runner<T> | undefined = undefined;
  #last: Runner<T> | undefined = undefined;

  /** Puts a runner that is in no list at the end. */
  add(runner: Runner<T>): void {
    runner.list = this;
    runner.previous = this.#last;
    if (this.#last === undefined) this.first = runner;
    else this.#last.next = runner;
    this.#last = runner;
  }

  /** Takes a runner of this list out. */
  delete(runner: Runner<T>): void {
    const { previous, next } = runner;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    runner.list = undefined;
    runner.previous = undefined;
    runner.next = undefined;
  }
}
