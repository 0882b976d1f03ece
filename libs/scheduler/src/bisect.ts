import type { Batch } from './batch';
import type { Ticket } from './ticket';

/**
 * What to do with the members of a batch that failed: run it again in parts, so that one poisoned request fails alone.
 * `ran` tells which members took part in the run. Of several, those somebody still waits for are split into two halves
 * (one, where only one is left: the others may have been the poison). Nothing comes back when one alone ran: it failed
 * by itself.
 */
export function bisect<T>(batch: Batch<T>, ran: (member: number) => boolean): Ticket<T>[][] {
  const { members } = batch;
  const took = members.filter((_, member) => ran(member));
  if (took.length <= 1) return [];
  const left = took.filter((ticket) => ticket.state === 'running');
  const middle = Math.ceil(left.length / 2);
  return [left.slice(0, middle), left.slice(middle)].filter((half) => half.length > 0);
}
