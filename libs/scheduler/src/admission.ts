import { backgroundBounds } from './background';
import type { Lane } from './lane';
import type { ModelQueue } from './model-queue';
import { type QueueBounds, timeoutPolicy } from './policy';
import type { Rejection } from './actions';
import type { OfferFacts } from './ticket';

/** The level that a request's `priority` means: itself where it exists, else the default. */
export function priorityLevel<T>(queue: ModelQueue<T>, priority: number): number {
  const { priorityLevels, defaultLevel } = queue.policy;
  return Number.isInteger(priority) && priority >= 1 && priority <= priorityLevels ? priority : defaultLevel;
}

/** When a request of this level leaves its queue unserved, given its own wish in microseconds (0 = none); Infinity = never. */
export function timeoutTime<T>(queue: ModelQueue<T>, level: number, now: number, facts: OfferFacts): number {
  const { background, queueTimeoutUs } = facts;
  // How long a request may give way is its own affair: it has a deadline for that.
  if (background) return Infinity;
  const policy = timeoutPolicy(queue.policy, level);
  if (!(policy.timeoutMs > 0)) return Infinity;
  const wish = policy.allowOverride && queueTimeoutUs > 0 ? queueTimeoutUs / 1000 : Infinity;
  return now + Math.min(policy.timeoutMs, wish);
}

/**
 * A request with a deadline goes before those with later ones, one without counts as due after this time. A due time is
 * never further away, so nobody is overtaken for ever by newcomers in more of a hurry.
 */
const patienceMs = 5_000;

/** Where a request stands within its level: by earliest deadline, by arrival alone where order is promised. */
export function dueTime<T>(queue: ModelQueue<T>, acceptedAt: number, deadline: number): number {
  if (queue.policy.preserveOrdering || !queue.policy.dynamic) return 0;
  return Math.min(acceptedAt + patienceMs, deadline);
}

/** Why a request, the nth that came to the scheduler, may not enter the queue; undefined = it may. */
export function refusal<T>(
  queue: ModelQueue<T>,
  facts: OfferFacts,
  level: number,
  sequence: number,
): Rejection | undefined {
  const { policy } = queue;
  // What is offered again was admitted before: it is not lost to a limit, only to the end of its queue.
  const again = facts.solo || facts.ageMs > 0;
  const welcome = again && !queue.expelled && queue.runners.size > 0;
  if (queue.retired !== undefined && !welcome) return retired(queue.retired);
  if (facts.rows > policy.maxBatchSize) {
    const message = `inference request batch-size must be <= ${policy.maxBatchSize}`;
    return { code: 'INVALID_ARGUMENT', message, origin: 'queue', reason: 'size' };
  }
  if (facts.timeoutMs < 0) return expired;
  if (again) return undefined;
  if (facts.background) return overflow(queue.background, facts, backgroundBounds(policy.bounds), 'background queue');
  const { maxQueueSize } = timeoutPolicy(policy, level);
  if (maxQueueSize > 0 && (queue.levelSizes?.get(level) ?? 0) >= maxQueueSize) {
    return { code: 'UNAVAILABLE', message: 'Exceeds maximum queue size', origin: 'queue', reason: 'full' };
  }
  const tooMuch = overflow(queue.plain, facts, policy.bounds, 'queue');
  if (tooMuch === undefined) return overload(queue, level, sequence);
  const { rowsPerMs } = queue.drain;
  if (rowsPerMs === 0) return tooMuch;
  return { ...tooMuch, retryMs: atAMoment((0.1 * queue.plain.rows) / rowsPerMs, sequence) };
}

/** Those who are told to try again come at so many different moments, from half to one and a half of what they are told. */
const moments = 16;

/**
 * So much waits that whoever came now would wait for longer than anybody may. Of a queue with n priority levels, the last one is
 * refused when the wait is 1/n of that, the first one at the whole.
 */
function overload<T>({ policy, plain, drain }: ModelQueue<T>, level: number, sequence: number): Rejection | undefined {
  const { maxWaitMs, priorityLevels } = policy;
  if (drain.rowsPerMs === 0) return undefined;
  const allowedMs = (maxWaitMs * (priorityLevels - level + 1)) / priorityLevels;
  const waitMs = plain.rows / drain.rowsPerMs;
  if (waitMs < allowedMs) return undefined;
  const message = `the model is overloaded: a request would wait for ${seconds(waitMs)}, the server lets them wait for ${seconds(allowedMs)} at most; try again later`;
  // When a tenth of what may wait has gone, so that not all come for the first free place.
  const retryMs = atAMoment(waitMs - 0.9 * allowedMs, sequence);
  return { code: 'RESOURCE_EXHAUSTED', message, origin: 'queue', reason: 'overload', retryMs };
}

/** Nobody is sent away for longer: paces change, and clients take a hint only if it fits in 32 bits. */
const longestRetryMs = 300_000;

function atAMoment(ms: number, sequence: number): number {
  return Math.min(ms, longestRetryMs / 1.5) * (0.5 + (sequence % moments) / moments);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function overflow<T>(lane: Lane<T>, facts: OfferFacts, bounds: QueueBounds, name: string): Rejection | undefined {
  if (lane.waiting.size >= bounds.requests) return full(name, `${bounds.requests} requests`);
  if (lane.rows + facts.rows > bounds.rows) return full(name, `${bounds.rows} batch items`);
  if (lane.bytes + facts.bytes > bounds.bytes) return full(name, `${bounds.bytes} bytes of inputs`);
  return undefined;
}

function full(name: string, limit: string): Rejection {
  const message = `the model's ${name} is full: the server lets at most ${limit} wait for one model version`;
  return { code: 'RESOURCE_EXHAUSTED', message, origin: 'queue', reason: 'full' };
}

/** A request for a queue that is at its end; the text is its owner's. */
export function retired(message: string): Rejection {
  return { code: 'UNAVAILABLE', message, origin: 'queue', reason: 'retired' };
}

/** A request whose gRPC deadline passed while it waited. */
export const expired: Rejection = {
  code: 'DEADLINE_EXCEEDED',
  message: 'the deadline passed while the request waited in the queue',
  origin: 'queue',
  reason: 'deadline',
};

/** A request that would not be answered by its deadline though it ran at once. */
export const late: Rejection = {
  code: 'DEADLINE_EXCEEDED',
  message: 'the deadline leaves less time than the model takes for the request',
  origin: 'queue',
  reason: 'late',
};

/** A request that waited for longer than its queue allows. */
export const timedOut: Rejection = {
  code: 'UNAVAILABLE',
  message: 'Request timeout expired',
  origin: 'queue',
  reason: 'timeout',
};
