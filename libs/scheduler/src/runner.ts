import type { ModelQueue } from './model-queue';
import { RunnerBatches } from './runner-batches';
import type { RunnerList } from './runner-list';

/** Whoever runs batches of one queue, as the scheduler sees it. */
export class Runner<T = unknown> {
  readonly id: string;
  readonly queue: ModelQueue<T>;
  /** Batches that it takes at once: one runs, the others load meanwhile. */
  readonly credits: number;
  /** It runs them in the order in which they were granted. */
  readonly batches = new RunnerBatches<T>();
  /** It is to be granted nothing more. */
  retired = false;
  /** It runs a request that must be alone. */
  solo = false;
  /** Since when the first of its batches runs: its grant, or the end of the batch before. */
  busySince = 0;
  /** Batches that it ran so far. */
  ran = 0;
  /** Batches in a row that it refused. */
  refusals = 0;
  /** Resources that it holds while it has a batch; none where it needs none. Those below are the rate limiter's too. */
  readonly needs = new Map<string, number>();
  priority = 1;
  device = '';
  /** It holds them, or needs none. */
  permitted = true;
  /** Turns that its queue was charged for its batch, beforehand. */
  charged = 0;
  /** Its place in the list that it is in; only the list changes these. */
  list: RunnerList<T> | undefined = undefined;
  previous: Runner<T> | undefined = undefined;
  next: Runner<T> | undefined = undefined;

  constructor(id: string, queue: ModelQueue<T>, credits: number) {
    this.id = id;
    this.queue = queue;
    this.credits = Math.max(1, Math.floor(credits));
  }

  get idle(): boolean {
    return this.batches.size === 0 && !this.retired && this.permitted;
  }

  /** It runs something, and could load one more batch meanwhile. */
  get spare(): boolean {
    const { size } = this.batches;
    // Who has its turn for one batch does not go on for another.
    return size > 0 && size < this.credits && !this.solo && !this.retired && this.needs.size === 0;
  }
}
