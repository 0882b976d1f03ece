import type { LatencyCurve } from './latency/latency-model';
import { LatencyTable } from './latency/latency-table';
import type { ModelQueue } from './model-queue';
import type { Ticket } from './ticket';

/*
 * What follows from a learnt curve ℓ(b) = α + β·b for the size of batches, and for what is too late. c: the overhead of a batch.
 *  - The knee: rows per second go up with b as b / (α + c + β·b), towards 1 / β. From b = η/(1-η)·(α + c)/β on, the share η of that
 *    is reached, and a larger batch makes all its members wait for little.
 *  - The earliest deadline: no more rows than are done by then, as 95 of 100 batches are. But while more waits than the runners
 *    take at once, not below three quarters of full speed, 3·(α + c)/β, or what is done in half of the time that requests usually
 *    have, if that is less: a queue that serves one in a hurry at a time serves hardly any.
 *  - Too late is what would not be done by its deadline though it ran at once, alone (while that much waits: in such a least
 *    batch), and as fast as the fastest twentieth of batches. To be sound it rests on 64 batches at least and on one within the last
 *    second. And one is tried each second though others run, so that a machine that is fast again, and requests that are quick
 *    among slow ones of their size, are found out.
 */

/** Rows beyond which a batch of the model is not worth its wait; Infinity where none is, or where the model's config says otherwise. */
export function kneeRows<T>({ policy, latency, ownSizes }: ModelQueue<T>, { alphaMs, betaMs }: LatencyCurve): number {
  const { batchEfficiency: share } = policy;
  if (share >= 1 || ownSizes) return Infinity;
  return Math.max(1, Math.ceil(((share / (1 - share)) * (alphaMs + latency.overheadMs)) / slope(betaMs)));
}

/** Rows that are done in `leftMs`, as 95 of 100 batches are; may be below 1. */
export function rowsWithin<T>({ latency }: ModelQueue<T>, curve: LatencyCurve, leftMs: number): number {
  return Math.floor(((leftMs - latency.overheadMs) / curve.high - curve.alphaMs) / slope(curve.betaMs));
}

/** When a batch of `rows` has to start for 95 of 100 to be done by `deadline`. */
export function latestStart<T>(
  { latency }: ModelQueue<T>,
  curve: LatencyCurve,
  deadline: number,
  rows: number,
): number {
  return deadline - latency.overheadMs - curve.high * (curve.alphaMs + curve.betaMs * rows);
}

/** Under pressure batches are to have this share of the full speed, where deadlines leave room for it. */
const pressureShare = 0.75;

/** The least rows of a batch that deadlines may ask for. */
export function floorRows<T>(queue: ModelQueue<T>, curve: LatencyCurve): number {
  const { policy, plain, runners, latency, budgetMs } = queue;
  if (!policy.dynamic || plain.rows <= policy.maxBatchSize * runners.size) return 1;
  const fast = Math.ceil(
    ((pressureShare / (1 - pressureShare)) * (curve.alphaMs + latency.overheadMs)) / slope(curve.betaMs),
  );
  return Math.max(1, Math.min(policy.maxBatchSize, fast, rowsWithin(queue, curve, budgetMs / 2)));
}

/** When it is too late to run the request, by what is known now; its deadline, where nothing is known. */
export function lastStart<T>({ policy, latency }: ModelQueue<T>, ticket: Ticket<T>): number {
  if (ticket.deadline === Infinity || !policy.planDeadlines) return ticket.deadline;
  const model = latency.model(LatencyTable.bucket(ticket.bytes, ticket.rows));
  return model === undefined ? ticket.deadline : ticket.deadline - model.least(ticket.rows);
}

/** Whether it is too late for a request that waits, soundly; now and then one is tried all the same. `first`: it is the next one to run. */
export function tooLate<T>(queue: ModelQueue<T>, ticket: Ticket<T>, now: number, first: boolean): boolean {
  if (ticket.deadline === Infinity || !queue.policy.planDeadlines) return false;
  const model = queue.latency.model(LatencyTable.bucket(ticket.bytes, ticket.rows));
  if (model === undefined) return false;
  const { plan } = model;
  const rows = first && plan !== undefined ? Math.max(ticket.rows, floorRows(queue, plan)) : ticket.rows;
  const leastMs = model.leastNow(now, rows);
  if (ticket.tried || leastMs === 0 || ticket.deadline - leastMs > now) return false;
  ticket.tried = model.tries(now);
  return !ticket.tried;
}

/** Never 0: rows that cost nothing cost next to nothing. */
function slope(betaMs: number): number {
  return Math.max(betaMs, 1e-9);
}
