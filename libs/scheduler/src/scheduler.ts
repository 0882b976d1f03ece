import type { SchedulerActions } from './actions';
import { dueTime, priorityLevel, refusal, retired, timeoutTime } from './admission';
import { backgroundCount, backgroundFrom, learnBackground, learnPlain } from './background';
import type { Batch, BatchReason } from './batch';
import { BatchFormer, patience } from './batch-former';
import { IndexedHeap } from '@shoal/core';
import { ModelQueue } from './model-queue';
import type { QueuePolicy } from './policy';
import { dropLate, expire } from './expiry';
import type { BucketCurve } from './latency/latency-table';
import { learn } from './learn';
import { prefetcher } from './prefetch';
import { type BatchResult, type Settle, afterFailure, afterRefusal, afterRun } from './run-outcome';
import { RateLimiter, type RateLimits, type RunnerPlace } from './rate-limiter';
import { Runner } from './runner';
import { type OfferFacts, Ticket } from './ticket';

/** How much of the slowest recent batch is remembered with each newer one. */
const slowestDecay = 0.9;

/** Share of the newest batch in the mean time of a queue's batches. */
const meanWeight = 0.1;

/** Share of the newest request in the time that requests have. */
const budgetWeight = 0.05;

/**
 * Decides which requests run together, where and when. A deterministic state machine: events come in as method calls,
 * each with the time `now` in milliseconds (never smaller than before), decisions go out through `actions`, in order.
 * Timeless in itself: it asks for a `tick` by `wakeAt`. An event costs O(log n) of the queue it concerns, never a look
 * at other queues.
 */
export class Scheduler<T> {
  readonly #actions: SchedulerActions<T>;
  readonly #queues = new Map<string, ModelQueue<T>>();
  readonly #runners = new Map<string, Runner<T>>();
  /** Queues that have something to do at a certain time. */
  readonly #alarms = new IndexedHeap<ModelQueue<T>>();
  readonly #former = new BatchFormer<T>();
  readonly #limiter: RateLimiter<T> | undefined;
  #sequence = 0;
  #batchId: number;
  /** The tick asked for; Infinity = none. */
  #wakeTime = Infinity;

  /**
   * @param lastBatchId Batches are numbered from here on: schedulers that share runners begin far apart.
   * @param limits How runners share devices; undefined: each runs when it can.
   */
  constructor(actions: SchedulerActions<T>, lastBatchId = 0, limits?: RateLimits) {
    this.#limiter = limits && new RateLimiter<T>(limits);
    this.#actions = actions;
    this.#batchId = lastBatchId;
  }

  /** The queue of that key, to look at. */
  queue(key: string): ModelQueue<T> | undefined {
    return this.#queues.get(key);
  }

  /** A batch in flight, to look at. */
  batch(runner: string, batchId: number): Batch<T> | undefined {
    return this.#runners.get(runner)?.batches.get(batchId);
  }

  /** Opens a queue, with what is known of it from before; nothing happens when it is open already. */
  addQueue(key: string, policy: QueuePolicy, curves: readonly BucketCurve[] = []): void {
    if (this.#queues.has(key)) return;
    const queue = new ModelQueue<T>(key, policy);
    queue.recall(curves);
    this.#queues.set(key, queue);
  }

  /** The queue takes no new requests (they are refused UNAVAILABLE with `message`); `queueDrained` when the last is over. */
  retireQueue(now: number, key: string, message: string): void {
    const queue = this.#queues.get(key);
    if (queue === undefined) return;
    queue.retired ??= message;
    this.#pump(queue, now);
  }

  /** Retires the queue and rejects all that waits UNAVAILABLE with `message`; what runs is left to its runners. */
  expelQueue(now: number, key: string, message: string): void {
    const queue = this.#queues.get(key);
    if (queue === undefined) return;
    queue.retired ??= message;
    queue.expelled = true;
    this.#pump(queue, now);
  }

  /** A runner offers to take `credits` batches at once. False when there is no such queue, or its id is known already. */
  addRunner(now: number, id: string, key: string, credits: number, place?: RunnerPlace): boolean {
    const queue = this.#queues.get(key);
    if (queue === undefined || this.#runners.has(id)) return false;
    const runner = new Runner(id, queue, credits);
    this.#runners.set(id, runner);
    queue.runners.add(runner);
    queue.drain.forget();
    if (place !== undefined) this.#limiter?.add(runner, place);
    queue.place(runner);
    this.#pump(queue, now);
    return true;
  }

  /** The runner is granted nothing more, though it be the last one: what waits, waits for another runner. */
  retireRunner(id: string): void {
    const runner = this.#runners.get(id);
    if (runner === undefined) return;
    runner.retired = true;
    runner.queue.place(runner);
  }

  /** The runner is gone: what ran there is lost. */
  runnerLost(now: number, id: string): void {
    const runner = this.#runners.get(id);
    if (runner === undefined) return;
    const { queue } = runner;
    this.#runners.delete(id);
    runner.retired = true;
    queue.place(runner);
    queue.runners.delete(runner);
    this.#limiter?.remove(runner);
    queue.inFlight -= runner.batches.size;
    for (const batch of runner.batches.values()) {
      for (const ticket of batch.members) if (ticket.state === 'running') this.#settle(ticket, 'lost');
    }
    runner.batches.clear();
    this.#pump(queue, now);
  }

  /** A request comes. Undefined when the queue does not exist; else its ticket, which may be settled already. */
  offer(now: number, key: string, facts: OfferFacts, tag: T): Ticket<T> | undefined {
    const queue = this.#queues.get(key);
    if (queue === undefined) return undefined;
    const level = priorityLevel(queue, facts.priority);
    const acceptedAt = now - facts.ageMs;
    const deadline = facts.timeoutMs === 0 ? Infinity : now + facts.timeoutMs;
    const due = dueTime(queue, acceptedAt, deadline);
    const timeoutAt = timeoutTime(queue, level, now, facts);
    this.#sequence += 1;
    const ticket = new Ticket(tag, queue, facts, level, this.#sequence, acceptedAt, deadline, due, timeoutAt);
    const rejection = refusal(queue, facts, level, this.#sequence);
    if (rejection !== undefined) {
      this.#settle(ticket, 'rejected', rejection);
      return ticket;
    }
    queue.enter(ticket);
    if (!ticket.background) {
      queue.plainAt = now;
      if (facts.timeoutMs > 0) queue.budgetMs += budgetWeight * (facts.timeoutMs - queue.budgetMs);
    }
    if (ticket.background ? this.#rests(queue, now) : this.#changesNothing(queue, ticket, now)) this.#arm(queue);
    else this.#pump(queue, now);
    return ticket;
  }

  /** Nobody waits for this request any more. Nothing happens when it is settled. */
  cancel(now: number, ticket: Ticket<T>): void {
    const { queue, state } = ticket;
    if (state === 'settled') return;
    if (state === 'waiting') queue.leave(ticket);
    if (state === 'pinned') queue.unpin(ticket);
    this.#settle(ticket, 'cancelled');
    if (state !== 'running') this.#pump(queue, now);
  }

  /** A batch is over and its credit returned. Unknown batches are ignored. */
  batchDone(now: number, runnerId: string, batchId: number, result: BatchResult): void {
    const runner = this.#runners.get(runnerId);
    const batch = runner?.batches.get(batchId);
    if (runner === undefined || batch === undefined) return;
    const { queue } = runner;
    runner.batches.delete(batch);
    queue.inFlight -= 1;
    runner.solo = false;
    queue.drain.done(now, batch.rows, queue.plain.rows >= queue.fullRows);
    this.#limiter?.release(runner, result.outcome === 'refused' ? 0 : now - runner.busySince);
    if (result.outcome === 'refused') afterRefusal(queue, runner, batch, this.#settle);
    else {
      runner.refusals = 0;
      const tookMs = now - runner.busySince;
      queue.slowestMs = queue.slowestMs === Infinity ? tookMs : Math.max(tookMs, queue.slowestMs * slowestDecay);
      queue.meanMs = queue.meanMs === Infinity ? tookMs : queue.meanMs + meanWeight * (tookMs - queue.meanMs);
      if (batch.members[0]?.background) learnBackground(queue, batch.rows, tookMs, now);
      else learnPlain(queue, batch, now);
      learn(batch, result, tookMs, now);
      if (result.outcome === 'ok') afterRun(batch, result, this.#settle);
      else afterFailure(queue, batch, result, this.#settle);
    }
    runner.busySince = now;
    queue.place(runner);
    this.#pump(queue, now);
  }

  /** The time asked for by `wakeAt` has come; earlier or additional ticks do no harm. */
  tick(now: number): void {
    this.#wakeTime = Infinity;
    for (let queue = this.#alarms.first; queue !== undefined && queue.heapKey <= now; queue = this.#alarms.first) {
      this.#alarms.delete(queue);
      this.#pump(queue, now);
    }
    this.#announceWake();
  }

  readonly #settle: Settle<T> = (ticket, settlement, rejection) => {
    ticket.state = 'settled';
    ticket.batch = undefined;
    this.#actions.settle(ticket, settlement, rejection);
  };

  /** True when a plain request that just entered cannot lead to a batch: the common case under load, and while holding. */
  #changesNothing(queue: ModelQueue<T>, ticket: Ticket<T>, now: number): boolean {
    if (queue.limited && queue.idle.first === undefined) return this.#limiter?.waits(queue) === true;
    if (queue.idle.first === undefined) return queue.spare.first === undefined || queue.plain.rows < queue.fullRows;
    if (queue.holdUntil === Infinity || queue.plain.rows >= queue.holdRows) return false;
    // One that goes before those that wait may make a preferred size by itself, or with some of them.
    if (ticket.shapeKey !== queue.holdShape || ticket.solo || queue.plain.waiting.last !== ticket) return false;
    queue.holdUntil = Math.min(queue.holdUntil, patience(ticket, queue.policy.maxDelayMs));
    return queue.holdUntil > now;
  }

  /** Dispatches all that can be; then settles, by alarms, when to look again. */
  #pump(queue: ModelQueue<T>, now: number): void {
    expire(queue, now, this.#settle);
    if (queue.expelled) this.#expel(queue);
    queue.holdUntil = Infinity;
    this.#fill(queue, now);
    if (queue.limited) this.#share(queue, now);
    this.#leave(queue);
  }

  /** Nothing more can be done for the queue now. */
  #leave(queue: ModelQueue<T>): void {
    if (queue.retired !== undefined && queue.empty) this.#forget(queue);
    else this.#arm(queue);
  }

  /** Gives batches to all that can take some. */
  #fill(queue: ModelQueue<T>, now: number): void {
    while (!queue.plain.empty) {
      const idle = queue.idle.first;
      const runner = idle ?? prefetcher(queue, now);
      if (runner === undefined || !this.#grant(queue, runner, idle !== undefined, now)) break;
    }
    while (!this.#rests(queue, now)) this.#grantBackground(queue, now);
  }

  /** Has this queue wait for its turn, and gives turns to whom they are due: to one batch each. */
  #share(queue: ModelQueue<T>, now: number): void {
    const limiter = this.#limiter as RateLimiter<T>;
    if (queue.plain.empty && queue.background.empty) limiter.drop(queue);
    else limiter.want(queue);
    for (let runner = limiter.next(); runner !== undefined; runner = limiter.next()) {
      const { queue: other } = runner;
      other.place(runner);
      if (other !== queue) {
        expire(other, now, this.#settle);
        other.holdUntil = Infinity;
      }
      this.#fill(other, now);
      if (runner.batches.size === 0) {
        // It has nothing, or waits for company.
        limiter.release(runner, 0);
        other.place(runner);
        limiter.drop(other);
      } else if (other.plain.empty && other.background.empty) limiter.drop(other);
      if (other !== queue) this.#leave(other);
    }
  }

  /** Gives the next batch to this runner, if there is one for it. */
  #grant(queue: ModelQueue<T>, runner: Runner<T>, idle: boolean, now: number): boolean {
    const pinned = queue.leavePinned(queue.plain);
    if (pinned !== undefined) {
      this.#dispatch(queue, runner, pinned, 'retry', now);
      return true;
    }
    dropLate(queue, now, this.#settle);
    if (queue.plain.empty) return false;
    const former = this.#former;
    former.form(queue, now);
    if (former.count === 0) {
      if (idle) {
        queue.holdUntil = former.holdUntil;
        queue.holdRows = former.holdRows;
        queue.holdShape = former.holdShape;
      }
      return false;
    }
    // A batch that may still grow is not bound early to a runner that is busy: waiting makes it larger and costs nothing.
    if (!idle && (former.solo || !former.full)) return false;
    this.#dispatch(queue, runner, queue.leaveFirst(queue.plain, former.count), former.reason, now);
    return true;
  }

  /** Whether nothing is to be granted in the background now, and until when, as far as time alone decides. */
  #rests(queue: ModelQueue<T>, now: number): boolean {
    const from = queue.background.empty ? Infinity : backgroundFrom(queue, now);
    queue.restUntil = from > now ? from : Infinity;
    return from > now;
  }

  /** Gives the next batch in the background to the first idle runner. */
  #grantBackground(queue: ModelQueue<T>, now: number): void {
    const runner = queue.idle.first as Runner<T>;
    const pinned = queue.leavePinned(queue.background);
    const members = pinned ?? queue.leaveFirst(queue.background, backgroundCount(queue, now));
    const solo = pinned === undefined && members[0]?.solo;
    this.#dispatch(queue, runner, members, pinned ? 'retry' : solo ? 'solo' : 'background', now);
  }

  #dispatch(queue: ModelQueue<T>, runner: Runner<T>, members: Ticket<T>[], reason: BatchReason, now: number): void {
    this.#batchId += 1;
    let rows = 0;
    let bytes = 0;
    for (const ticket of members) {
      rows += ticket.rows;
      bytes += ticket.bytes;
    }
    const batch: Batch<T> = { id: this.#batchId, queue, runner, members, rows, bytes, reason, dispatchedAt: now };
    for (const ticket of members) {
      ticket.state = 'running';
      ticket.batch = batch;
    }
    if (runner.batches.size === 0) runner.busySince = now;
    runner.batches.add(batch);
    runner.solo = reason === 'solo';
    queue.inFlight += 1;
    queue.place(runner);
    this.#actions.dispatch(batch);
  }

  #expel(queue: ModelQueue<T>): void {
    for (const ticket of queue.leaveAll()) this.#settle(ticket, 'rejected', retired(queue.retired ?? ''));
  }

  #arm(queue: ModelQueue<T>): void {
    this.#alarms.set(queue, Math.min(queue.expiries.firstKey, queue.holdUntil, queue.restUntil));
    this.#announceWake();
  }

  #announceWake(): void {
    if (this.#alarms.firstKey >= this.#wakeTime) return;
    this.#wakeTime = this.#alarms.firstKey;
    this.#actions.wakeAt(this.#wakeTime);
  }

  #forget(queue: ModelQueue<T>): void {
    this.#alarms.delete(queue);
    this.#queues.delete(queue.key);
    this.#limiter?.drop(queue);
    for (const runner of queue.runners) {
      this.#runners.delete(runner.id);
      this.#limiter?.remove(runner);
    }
    this.#actions.queueDrained(queue.key);
  }
}
