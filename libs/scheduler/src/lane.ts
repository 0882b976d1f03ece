import { SortedList } from './sorted-list';
import { type Ticket, precedes } from './ticket';

/** What waits in a queue for one kind of service: the plain requests, or those in the background. State only. */
export class Lane<T = unknown> {
  /** Waiting, in the order in which they will run. */
  readonly waiting = new SortedList<Ticket<T>>(precedes);
  /** Batches made before that wait to run (again), ahead of all that wait; none is empty. */
  readonly pinned: Ticket<T>[][] = [];
  /** Rows and bytes of what waits. */
  rows = 0;
  bytes = 0;

  /** Nothing waits, pinned or not. */
  get empty(): boolean {
    return this.waiting.size === 0 && this.pinned.length === 0;
  }
}
