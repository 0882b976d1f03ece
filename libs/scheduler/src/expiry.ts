import { expired, late, timedOut } from './admission';
import type { ModelQueue } from './model-queue';
import { lastStart, tooLate } from './plan';
import { timeoutPolicy } from './policy';
import type { Settle } from './run-outcome';
import type { Ticket } from './ticket';

/** Settles or moves back what has waited for too long, and settles what is too late to run. */
export function expire<T>(queue: ModelQueue<T>, now: number, settle: Settle<T>): void {
  const { expiries } = queue;
  for (let ticket = expiries.first; ticket !== undefined && ticket.heapKey <= now; ticket = expiries.first) {
    if (ticket.state === 'pinned') {
      queue.unpin(ticket);
      settle(ticket, 'rejected', expired);
    } else if (ticket.deadline <= now) {
      queue.leave(ticket);
      settle(ticket, 'rejected', expired);
    } else if (ticket.timeoutAt <= now) timeOut(queue, ticket, settle);
    else if (tooLate(queue, ticket, now, false)) {
      queue.leave(ticket);
      settle(ticket, 'rejected', late);
    } else {
      // What was known when it came has changed, or is too old to go by.
      const start = lastStart(queue, ticket);
      expiries.set(ticket, Math.min(start > now ? start : ticket.deadline, ticket.timeoutAt));
    }
  }
}

/** Settles those of the next plain requests that would hold up others and be too late all the same. */
export function dropLate<T>(queue: ModelQueue<T>, now: number, settle: Settle<T>): void {
  const { waiting } = queue.plain;
  for (let ticket = waiting.first; ticket !== undefined && tooLate(queue, ticket, now, true); ticket = waiting.first) {
    queue.leave(ticket);
    settle(ticket, 'rejected', late);
  }
}

function timeOut<T>(queue: ModelQueue<T>, ticket: Ticket<T>, settle: Settle<T>): void {
  queue.leave(ticket);
  if (timeoutPolicy(queue.policy, ticket.level).action === 'reject') {
    settle(ticket, 'rejected', timedOut);
    return;
  }
  ticket.rank = 2 * ticket.level + 1;
  ticket.due = ticket.timeoutAt;
  ticket.timeoutAt = Infinity;
  queue.enter(ticket);
}
