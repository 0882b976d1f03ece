import type { BatchReason } from './batch';
import { BatchCap } from './batch-cap';
import type { ModelQueue } from './model-queue';
import type { Ticket } from './ticket';

/**
 * Decides which of the first plain requests in a queue make the next batch, as Triton's dynamic batcher does: look at request
 * after request while they fit; a preferred size that is met on the way goes at once (the largest one met), as does a
 * batch that cannot grow any more; else everything goes when the oldest has waited for as long as the model allows, which
 * is at once by default. One instance serves all queues; its fields are the answer to the last `form`.
 */
export class BatchFormer<T> {
  /** Requests to take; 0 = none yet. */
  count = 0;
  reason: BatchReason = 'idle';
  /** The batch cannot grow, whoever comes. */
  full = false;
  solo = false;
  /** With count 0: when to send what there is by then. */
  holdUntil = Infinity;
  /** With count 0: rows that change the answer. */
  holdRows = 0;
  holdShape = '';

  #seen = 0;
  #rows = 0;
  #closed = false;
  #best = 0;
  #bestRows = 0;
  #holdUntil = Infinity;
  #whyClosed: BatchReason = 'full';
  readonly #cap = new BatchCap<T>();
  #queue: ModelQueue<T> | undefined;
  #now = 0;

  /** Nothing that has expired may be in the queue any more, and there must be a plain request. */
  form(queue: ModelQueue<T>, now: number): void {
    this.#seen = 0;
    this.#rows = 0;
    this.#closed = false;
    this.#best = 0;
    this.#bestRows = 0;
    this.#holdUntil = Infinity;
    this.#cap.begin(queue);
    this.solo = false;
    this.#queue = queue;
    this.#now = now;
    queue.plain.waiting.scan(queue.policy.dynamic ? this.#visit : this.#visitAlone);
    this.#decide(queue, now);
    this.#queue = undefined;
    this.#cap.end();
  }

  readonly #visitAlone = (ticket: Ticket<T>): boolean => {
    this.#seen = 1;
    this.#rows = ticket.rows;
    this.solo = ticket.solo;
    return false;
  };

  readonly #visit = (ticket: Ticket<T>): boolean => {
    const { preferredSizes, maxDelayMs } = (this.#queue as ModelQueue<T>).policy;
    const rows = this.#rows + ticket.rows;
    if (this.#seen > 0) {
      // Past the largest preferred size, the batch without this request is as good as a preferred one.
      if (this.#best === 0 && rows > (preferredSizes.at(-1) as number)) {
        this.#best = this.#seen;
        this.#bestRows = this.#rows;
      }
      if (rows > this.#cap.rows || ticket.solo || ticket.shapeKey !== this.holdShape) {
        this.#closed = true;
        this.#whyClosed = rows > this.#cap.rows ? this.#cap.reason : 'full';
        return false;
      }
    }
    this.#seen += 1;
    this.#rows = rows;
    if (this.#seen === 1) this.holdShape = ticket.shapeKey;
    this.#cap.join(ticket, rows, this.#seen === 1, this.#now);
    if (maxDelayMs > 0) this.#holdUntil = Math.min(this.#holdUntil, patience(ticket, maxDelayMs));
    if (ticket.solo) {
      this.solo = true;
      return false;
    }
    if (preferredSizes.includes(rows)) {
      this.#best = this.#seen;
      this.#bestRows = rows;
    }
    // Beyond the largest preferred size only a batch whose delay is over goes on.
    return this.#best === 0 || rows <= (preferredSizes.at(-1) as number) || this.#now >= this.#holdUntil;
  };

  #decide(queue: ModelQueue<T>, now: number): void {
    const { dynamic, preferredSizes, maxDelayMs } = queue.policy;
    const largest = preferredSizes.at(-1) as number;
    this.holdUntil = Infinity;
    if (!dynamic || this.solo) {
      this.#answer(this.#seen, this.solo ? 'solo' : 'alone', true);
      return;
    }
    // A queue that takes nothing new waits for nobody.
    const waited = maxDelayMs > 0 && (now >= this.#holdUntil || queue.retired !== undefined);
    if (this.#best > 0 && !waited) {
      const full = this.#closed && this.#best === this.#seen;
      this.#answer(this.#best, full ? this.#whyClosed : 'preferred', full || this.#bestRows >= largest);
    } else if (this.#closed || this.#rows >= Math.min(largest, this.#cap.rows)) {
      this.#answer(this.#seen, this.#closed ? this.#whyClosed : this.#cap.reason, true);
    } else if (queue.retired === undefined && this.#cap.mayWait(this.#rows) > now) {
      this.#answer(0, 'delay', false);
      this.holdUntil = this.#cap.mayWait(this.#rows);
      // Whoever comes makes the batch longer, and its time to go earlier.
      this.holdRows = 0;
    } else if (maxDelayMs === 0 || waited) {
      this.#answer(this.#seen, waited ? 'delay' : 'idle', false);
    } else {
      this.#answer(0, 'delay', false);
      this.holdUntil = this.#holdUntil;
      this.holdRows = preferredSizes.find((size) => size > this.#rows) ?? largest;
    }
  }

  #answer(count: number, reason: BatchReason, full: boolean): void {
    this.count = count;
    this.reason = reason;
    this.full = full;
  }
}

/**
 * Until when a request may be held back for company: the model's delay, but at most half of the time that its deadline
 * leaves, for it has yet to run.
 */
export function patience(ticket: Pick<Ticket, 'acceptedAt' | 'deadline'>, maxDelayMs: number): number {
  const delay = ticket.acceptedAt + maxDelayMs;
  if (ticket.deadline === Infinity) return delay;
  return Math.min(delay, (ticket.acceptedAt + ticket.deadline) / 2);
}
