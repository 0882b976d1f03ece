import type { Batch } from './batch';
import type { ModelQueue } from './model-queue';
import type { QueueBounds } from './policy';

/*
 * Requests in the background (explanations, copies for a shadow version) are to be answered some time, and must not be felt by
 * those that are not. So
 *  - a batch is all plain or all background. Rows added to a plain batch, though there be room, make it run for longer: what a
 *    row costs is small, but never nothing;
 *  - a background batch is formed only while no plain request waits, not even one that is held back for company;
 *  - it goes only to a runner that has nothing else, and never behind another batch. So all that a plain request can find before
 *    it is the one that runs;
 *  - that one is short: see `backgroundRows`;
 *  - while plain requests come, the last idle runner is kept for them: where a background batch takes it for longer than a plain
 *    request would not mind, such batches are rare: see `pauseMs`;
 *  - they have bounds of their own, beside those of plain requests, and the queue's time-outs and sizes are not theirs.
 * Nothing is promised to them: while plain requests keep all runners busy they wait, until their deadline if they have one. Where
 * plain requests are further apart than `comingMs`, one may find a background batch before it each time.
 * Each queue is for itself: what one model runs in the background takes its share of the machine from other models.
 */

/** Of the bounds of plain requests. */
const share = 1 / 4;

/** What may wait in the background, given what else may wait. */
export function backgroundBounds({ requests, rows, bytes }: QueueBounds): QueueBounds {
  return { requests: part(requests), rows: part(rows), bytes: part(bytes) };
}

function part(bound: number): number {
  return Math.max(1, Math.floor(bound * share));
}

/** Share of the newest batch in the smoothed time of a row. */
const weight = 0.25;

/** Notes how long a background batch ran, and when the next one may. */
export function learnBackground<T>(queue: ModelQueue<T>, rows: number, tookMs: number, now: number): void {
  const before = queue.backgroundRowMs;
  const rowMs = tookMs / rows;
  queue.backgroundRowMs = before === Infinity ? rowMs : before + weight * (rowMs - before);
  const others = queue.runners.size - 1;
  queue.backgroundAt = others > 0 ? now + tookMs / others : -Infinity;
  queue.backgroundAloneAt = now + pauseMs(tookMs, softShare * queue.plainMs);
}

/** Share of the newest batch in the smoothed latency of plain requests. */
const latencyWeight = 0.05;

/** Notes how long the plain requests of a batch took from when they came to their answer, by the one that waited longest. */
export function learnPlain<T>(queue: ModelQueue<T>, { members }: Batch<T>, now: number): void {
  const [first] = members;
  if (first === undefined) return;
  const tookMs = now - first.acceptedAt;
  queue.plainMs = queue.plainMs === 0 ? tookMs : queue.plainMs + latencyWeight * (tookMs - queue.plainMs);
}

/** What a plain request may wait for the background, as a part of what it takes anyway. */
const softShare = 1 / 5;
/** It rests no longer than this, however long one took: a run that was held up by the machine says little of the next. */
const longestPauseMs = 1_000;
/** The share of plain requests that may wait for longer: below the hundredth that the 99th percentile leaves out. */
const delayedShare = 0.008;

/**
 * How long the background rests after a batch that took `tookMs`, where `softMs` would be no matter. A plain request that comes at any
 * time finds it with a probability of d, its share of the time, and then waits for longer than softMs with one of 1 − softMs/tookMs:
 * d is such that both together are `delayedShare`.
 */
function pauseMs(tookMs: number, softMs: number): number {
  if (softMs >= tookMs) return 0;
  const duty = Math.min(1, delayedShare / (1 - softMs / tookMs));
  return Math.min(tookMs * (1 / duty - 1), longestPauseMs);
}

/** While plain requests come, at least one in so many milliseconds, background batches have only a part of their time. */
const recentMs = 1_000;
const recentShare = 1 / 5;

/** While they come at least this often, the background keeps a runner for them, or rests after each of its batches. */
const comingMs = 250;

/**
 * When a batch in the background may be granted: `now` or before; a later time; Infinity: not before something happens.
 */
export function backgroundFrom<T>(queue: ModelQueue<T>, now: number): number {
  const { plain, idle, plainAt, backgroundAt, backgroundAloneAt } = queue;
  if (!plain.empty || idle.first === undefined) return Infinity;
  const quietAt = plainAt + comingMs;
  if (quietAt <= now) return now;
  const from = idle.first.next === undefined ? backgroundAloneAt : backgroundAt;
  return Math.min(from, quietAt);
}

/**
 * Rows that a background batch may have, at least 1: as many as fit its time by what a row took lately, one while that is not
 * known. A row of a larger batch never takes longer than one of a smaller (α/b + β falls), so a batch that grows by this rule
 * takes no longer than it may; where the machine becomes slower it shrinks with the next ones. A request that is larger by
 * itself is run as it is, alone.
 */
function backgroundRows<T>({ policy, backgroundRowMs, plainAt }: ModelQueue<T>, now: number): number {
  const limitMs = policy.backgroundBatchMs * (now - plainAt < recentMs ? recentShare : 1);
  return Math.max(1, Math.min(policy.maxBatchSize, Math.floor(limitMs / backgroundRowMs)));
}

/** How many of the first requests in the background make the next batch; at least 1. There must be one. */
export function backgroundCount<T>(queue: ModelQueue<T>, now: number): number {
  const limit = queue.policy.dynamic ? backgroundRows(queue, now) : 0;
  let count = 0;
  let rows = 0;
  let shape = '';
  queue.background.waiting.scan((ticket) => {
    rows += ticket.rows;
    if (count > 0 && (rows > limit || ticket.solo || ticket.shapeKey !== shape)) return false;
    count += 1;
    shape = ticket.shapeKey;
    return !ticket.solo;
  });
  return count;
}
