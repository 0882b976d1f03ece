import type { Batch } from './batch';
import type { ModelQueue } from './model-queue';

/** What a caller says of a request that it offers. */
export interface OfferFacts {
  /** Batch items; 1 where the model has no batch dimension. */
  readonly rows: number;
  /** Requests with different keys cannot share a batch. */
  readonly shapeKey: string;
  readonly bytes: number;
  /** Milliseconds until its deadline; 0 = none, below 0 = already past. */
  readonly timeoutMs: number;
  /** Milliseconds since it was first accepted; > 0 when it is offered again. */
  readonly ageMs: number;
  /** 1 is first; 0 or a level that does not exist = the queue's default. */
  readonly priority: number;
  /** Microseconds it is willing to wait in the queue; 0 = the queue's own. */
  readonly queueTimeoutUs: number;
  /** Runs alone in its batch, on a runner that runs nothing else. */
  readonly solo: boolean;
  /** It gives way to all that is not: see background.ts. */
  readonly background: boolean;
}

/** waiting: in its queue; pinned: in a batch made before, waiting to run (again); running: with a runner; settled: over. */
export type TicketState = 'waiting' | 'pinned' | 'running' | 'settled';

/**
 * A request's place in the scheduler: given to the caller at `offer`, given back at `cancel` and with every action.
 * The scheduler alone changes it. `tag` is the caller's own.
 */
export class Ticket<T = unknown> {
  readonly tag: T;
  readonly queue: ModelQueue<T>;
  /** At least 1: an empty request takes a place too. */
  readonly rows: number;
  readonly shapeKey: string;
  readonly bytes: number;
  readonly solo: boolean;
  readonly background: boolean;
  readonly level: number;
  /** Order of arrival in the scheduler. */
  readonly sequence: number;
  /** When it was first accepted, in the clock of the events. */
  readonly acceptedAt: number;
  /** Absolute; Infinity = none. */
  readonly deadline: number;
  state: TicketState = 'waiting';
  /** 2·level, plus 1 once it is delayed behind the others of its level: first key of the queue's order. */
  rank: number;
  /** Second key of the queue's order, see `dueTime`. */
  due: number;
  /** When its wait in the queue ends by policy; Infinity = never. */
  timeoutAt: number;
  /** When something must happen to it while it waits: the heap's key. */
  heapKey = Infinity;
  heapIndex = -1;
  /** How often a runner refused it. */
  refusals = 0;
  /** It seems too late for its deadline, and runs all the same to find out. */
  tried = false;
  /** The batch it runs in. */
  batch: Batch<T> | undefined = undefined;

  constructor(
    tag: T,
    queue: ModelQueue<T>,
    facts: OfferFacts,
    level: number,
    sequence: number,
    acceptedAt: number,
    deadline: number,
    due: number,
    timeoutAt: number,
  ) {
    this.tag = tag;
    this.queue = queue;
    this.rows = Math.max(1, facts.rows);
    this.shapeKey = facts.shapeKey;
    this.bytes = facts.bytes;
    this.solo = facts.solo;
    this.background = facts.background;
    this.level = level;
    this.sequence = sequence;
    this.acceptedAt = acceptedAt;
    this.deadline = deadline;
    this.rank = 2 * level;
    this.due = due;
    this.timeoutAt = timeoutAt;
  }
}

type OrderKeys = Pick<Ticket, 'rank' | 'due' | 'sequence'>;

/** The order of a queue: priority level, then those not yet delayed, then `due`, then arrival. Total: no two are equal. */
export function precedes(a: OrderKeys, b: OrderKeys): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.due !== b.due) return a.due < b.due;
  return a.sequence < b.sequence;
}
