import { IndexedHeap } from '@shoal/core';
import { DrainRate } from './drain-rate';
import { Lane } from './lane';
import { type BucketCurve, LatencyTable } from './latency/latency-table';
import { kneeRows, lastStart } from './plan';
import { type QueuePolicy } from './policy';
import type { Runner } from './runner';
import { RunnerList } from './runner-list';
import type { Ticket } from './ticket';

/** One queue: the requests of one model version, and the runners that serve it. State only; the scheduler decides. */
export class ModelQueue<T = unknown> {
  readonly key: string;
  readonly policy: QueuePolicy;
  readonly plain = new Lane<T>();
  readonly background = new Lane<T>();
  /** What waits or is pinned and has a deadline or a timeout. */
  readonly expiries = new IndexedHeap<Ticket<T>>();
  readonly runners = new Set<Runner<T>>();
  /** Runners with nothing to do, longest idle first. */
  readonly idle = new RunnerList<T>();
  /** Runners that run something and have a free credit, longest running first. */
  readonly spare = new RunnerList<T>();
  /** Batches with runners. */
  inFlight = 0;
  /** Plain requests waiting per priority level; kept only where a level's size is limited. */
  readonly levelSizes: Map<number, number> | undefined;
  /** Fewer rows than this never make a batch that cannot grow. */
  fullRows: number;
  /** The model's config says which sizes its batches are to have, or how long they may wait. */
  readonly ownSizes: boolean;
  /** What its batches take. */
  readonly latency = new LatencyTable();
  /** Why it takes no new requests; undefined = it does. */
  retired: string | undefined = undefined;
  /** What waits is refused, and so is what comes back from a runner. */
  expelled = false;
  /** When an idle runner stops waiting for a larger batch; Infinity = none waits. */
  holdUntil = Infinity;
  /** While holding: what arrives changes nothing as long as there are fewer rows than this, all of this shape. */
  holdRows = 0;
  holdShape = '';
  /** The slowest recent batch in milliseconds, forgetting a tenth with each newer one; Infinity = none has run. */
  slowestMs = Infinity;
  /** What a batch takes of its runner's time, smoothed, in milliseconds: those that end together took it together. */
  meanMs = Infinity;
  /** How fast what waits becomes less. */
  readonly drain = new DrainRate();
  /** The time that plain requests with a deadline have when they come, smoothed; 0 = none came. */
  budgetMs = 0;
  /** When the newest plain request came. */
  plainAt = -Infinity;
  /** What a row of a background batch takes, smoothed, in milliseconds; Infinity = none has run. */
  backgroundRowMs = Infinity;
  /** What plain requests take from when they come to their answer, smoothed, in milliseconds; 0 = none was answered. */
  plainMs = 0;
  /** While plain requests come, the background is to rest until then, */
  backgroundAt = -Infinity;
  /** and until then where it would take the last runner that is idle. */
  backgroundAloneAt = -Infinity;
  /** When what waits in the background may go on though nothing happens until then; Infinity = it needs no time alone. */
  restUntil = Infinity;
  /** Some of its runners need resources. */
  limited = false;
  /** Turns that it had of shared devices, see RateLimiter. */
  turns = 0;
  /** When something is to be done without an event: key in the scheduler's heap. */
  heapKey = Infinity;
  heapIndex = -1;

  constructor(key: string, policy: QueuePolicy) {
    this.key = key;
    this.policy = policy;
    this.fullRows = largestRows(policy);
    this.ownSizes = policy.maxDelayMs > 0 || policy.preferredSizes[0] !== policy.maxBatchSize;
    const limited =
      policy.defaultTimeout.maxQueueSize > 0 ||
      [...policy.levelTimeouts.values()].some((level) => level.maxQueueSize > 0);
    this.levelSizes = limited ? new Map() : undefined;
  }

  /** Nothing waits and nothing runs. */
  get empty(): boolean {
    return this.plain.empty && this.background.empty && this.inFlight === 0;
  }

  lane({ background }: Ticket<T>): Lane<T> {
    return background ? this.background : this.plain;
  }

  /** Adds to what waits; the ticket's keys are set. */
  enter(ticket: Ticket<T>): void {
    ticket.state = 'waiting';
    const lane = this.lane(ticket);
    lane.waiting.insert(ticket);
    lane.rows += ticket.rows;
    lane.bytes += ticket.bytes;
    if (!ticket.background) this.levelSizes?.set(ticket.level, (this.levelSizes.get(ticket.level) ?? 0) + 1);
    this.expiries.set(ticket, Math.min(lastStart(this, ticket), ticket.timeoutAt));
  }

  /** Takes out of what waits. */
  leave(ticket: Ticket<T>): void {
    const lane = this.lane(ticket);
    lane.waiting.remove(ticket);
    this.#left(lane, ticket);
  }

  /** Takes the first `count` of what waits in one of its lanes. */
  leaveFirst(lane: Lane<T>, count: number): Ticket<T>[] {
    const taken = lane.waiting.takeFirst(count);
    for (const ticket of taken) this.#left(lane, ticket);
    return taken;
  }

  /** Takes the batch that is first of those pinned in one of its lanes. */
  leavePinned(lane: Lane<T>): Ticket<T>[] | undefined {
    const pinned = lane.pinned.shift();
    if (pinned !== undefined) for (const ticket of pinned) this.expiries.delete(ticket);
    return pinned;
  }

  /** Takes out all that waits, pinned or not. */
  leaveAll(): Ticket<T>[] {
    const all: Ticket<T>[] = [];
    for (const lane of [this.plain, this.background]) {
      for (let pinned = this.leavePinned(lane); pinned !== undefined; pinned = this.leavePinned(lane)) {
        all.push(...pinned);
      }
      all.push(...this.leaveFirst(lane, lane.waiting.size));
    }
    return all;
  }

  /** Puts a batch, all of one kind, before everything else of its lane. */
  pin(members: Ticket<T>[]): void {
    const [first] = members;
    if (first === undefined) return;
    for (const ticket of members) {
      ticket.state = 'pinned';
      this.expiries.set(ticket, ticket.deadline);
    }
    this.lane(first).pinned.unshift(members);
  }

  /** Takes one member out of its pinned batch. */
  unpin(ticket: Ticket<T>): void {
    this.expiries.delete(ticket);
    const { pinned } = this.lane(ticket);
    const at = pinned.findIndex((members) => members.includes(ticket));
    const members = pinned[at];
    if (members === undefined) return;
    members.splice(members.indexOf(ticket), 1);
    if (members.length === 0) pinned.splice(at, 1);
  }

  /** Curves from before, for shapes of which nothing is known yet. */
  recall(curves: readonly BucketCurve[]): void {
    this.latency.recall(curves);
    this.relearn();
  }

  /** Takes note that a curve was made anew. */
  relearn(): void {
    let knee = Infinity;
    for (const model of this.latency.models()) if (model.plan) knee = Math.min(knee, kneeRows(this, model.plan));
    this.fullRows = Math.min(largestRows(this.policy), knee);
  }

  /** Notes how much more a runner can take. */
  place(runner: Runner<T>): void {
    runner.list?.delete(runner);
    if (runner.idle) this.idle.add(runner);
    else if (runner.spare) this.spare.add(runner);
  }

  #left(lane: Lane<T>, ticket: Ticket<T>): void {
    lane.rows -= ticket.rows;
    lane.bytes -= ticket.bytes;
    this.expiries.delete(ticket);
    if (this.levelSizes === undefined || ticket.background) return;
    const size = (this.levelSizes.get(ticket.level) ?? 1) - 1;
    if (size > 0) this.levelSizes.set(ticket.level, size);
    else this.levelSizes.delete(ticket.level);
  }
}

/** The least rows that make a batch which cannot grow, as the policy alone has it. */
function largestRows({ dynamic, preferredSizes, maxBatchSize }: QueuePolicy): number {
  return dynamic ? (preferredSizes.at(-1) ?? maxBatchSize) : 1;
}
