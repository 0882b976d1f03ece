import type { BatchReason } from './batch';
import type { LatencyCurve } from './latency/latency-model';
import { LatencyTable } from './latency/latency-table';
import type { ModelQueue } from './model-queue';
import { floorRows, kneeRows, latestStart, rowsWithin } from './plan';
import type { Ticket } from './ticket';

/** How many rows the batch that is being formed may have, and why not more: see plan.ts. One instance serves all queues. */
export class BatchCap<T> {
  rows = Infinity;
  reason: BatchReason = 'full';
  #queue: ModelQueue<T> | undefined;
  #plan: LatencyCurve | undefined;
  #deadline = Infinity;

  /** Before the first member. */
  begin(queue: ModelQueue<T>): void {
    this.rows = queue.policy.maxBatchSize;
    this.reason = 'full';
    this.#queue = queue;
    this.#plan = undefined;
    this.#deadline = Infinity;
  }

  /** A member joins, the batch has `rows` with it; `first`: it is the first one. */
  join(ticket: Ticket<T>, rows: number, first: boolean, now: number): void {
    const queue = this.#queue as ModelQueue<T>;
    if (first) {
      this.#plan = queue.latency.model(LatencyTable.bucket(ticket.bytes, ticket.rows))?.plan;
      if (this.#plan !== undefined) this.#limit(kneeRows(queue, this.#plan), 'knee');
    }
    if (ticket.deadline >= this.#deadline) return;
    this.#deadline = ticket.deadline;
    if (this.#plan === undefined || !queue.policy.planDeadlines) return;
    const inTime = rowsWithin(queue, this.#plan, this.#deadline - now);
    this.#limit(Math.max(inTime, rows, floorRows(queue, this.#plan)), 'deadline');
  }

  /** Until when a batch of `rows` may wait for one row more; -Infinity = not at all. */
  mayWait(rows: number): number {
    const queue = this.#queue as ModelQueue<T>;
    if (!queue.policy.deferred || this.#plan === undefined || this.#deadline === Infinity) return -Infinity;
    return latestStart(queue, this.#plan, this.#deadline, rows + 1);
  }

  end(): void {
    this.#queue = undefined;
  }

  #limit(rows: number, reason: BatchReason): void {
    if (rows >= this.rows) return;
    this.rows = rows;
    this.reason = reason;
  }
}
