import {
  type Batch,
  type BatchResult,
  type OfferFacts,
  type QueuePolicy,
  type RateLimits,
  type Rejection,
  Scheduler,
  type SchedulerActions,
  type Settlement,
  type Ticket,
  queuePolicy,
} from '../src';

/** A request's tag in tests: its name, and what became of it. */
export interface Fate {
  readonly name: string;
  readonly ends: { readonly at: number; readonly settlement: Settlement; readonly rejection: Rejection | undefined }[];
}

/** How a runner ends a batch after `ms`. */
export interface Run {
  readonly ms: number;
  readonly result?: Partial<BatchResult>;
}

export const okResult: BatchResult = { outcome: 'ok', code: 'UNKNOWN', message: '', memberErrors: [], absent: [] };

export const plainFacts: OfferFacts = {
  rows: 1,
  shapeKey: '',
  bytes: 64,
  timeoutMs: 0,
  ageMs: 0,
  priority: 0,
  queueTimeoutUs: 0,
  solo: false,
  background: false,
};

/** The queue that tests use when they use one. */
export const onlyQueue = 'm/1@a';

/**
 * A scheduler in virtual time, with runners that take as long as they are told. Everything happens at whole
 * milliseconds or when the scheduler asked for a tick.
 */
export class World {
  now = 0;
  readonly scheduler: Scheduler<Fate>;
  readonly batches: Batch<Fate>[] = [];
  readonly drained: string[] = [];
  /** How long each batch runs and how it ends; may be replaced at any time. */
  run: (batch: Batch<Fate>) => Run = () => ({ ms: 10 });
  /** Told of each offer and each end of a batch before the scheduler is, and of each quiet moment. */
  readonly witness: {
    offering?(fate: Fate, facts: OfferFacts, queue: string): void;
    ending?(batch: Batch<Fate>, result: BatchResult): void;
    /** Told when all that falls due at one moment has been done. */
    settledDown?(): void;
  } = {};
  #wake = Infinity;
  #completions: { readonly at: number; readonly batch: Batch<Fate>; readonly result: BatchResult }[] = [];

  /** @param observe Wraps what the scheduler's actions do, to watch or to spoil them. */
  constructor(
    observe: (actions: SchedulerActions<Fate>) => SchedulerActions<Fate> = (actions) => actions,
    limits?: RateLimits,
  ) {
    this.scheduler = new Scheduler<Fate>(
      observe({
        dispatch: (batch) => this.#dispatched(batch),
        settle: (ticket, settlement, rejection) => ticket.tag.ends.push({ at: this.now, settlement, rejection }),
        wakeAt: (time) => (this.#wake = time),
        queueDrained: (key) => this.drained.push(key),
      }),
      0,
      limits,
    );
  }

  /** One queue and its runners (r0, r1, …). */
  static withQueue(policy: Partial<QueuePolicy>, runners = 1, credits = 2): World {
    const world = new World();
    world.scheduler.addQueue(onlyQueue, queuePolicy(policy));
    for (let i = 0; i < runners; i += 1) world.scheduler.addRunner(0, `r${i}`, onlyQueue, credits);
    return world;
  }

  offer(name: string, facts: Partial<OfferFacts> = {}, queue = onlyQueue): Ticket<Fate> {
    const whole = { ...plainFacts, ...facts };
    const tag: Fate = { name, ends: [] };
    this.witness.offering?.(tag, whole, queue);
    const ticket = this.scheduler.offer(this.now, queue, whole, tag);
    if (ticket === undefined) throw new Error(`no queue ${queue}`);
    return ticket;
  }

  /** So many requests of one row, named a0, a1, … */
  offers(prefix: string, count: number, facts: Partial<OfferFacts> = {}): Ticket<Fate>[] {
    return Array.from({ length: count }, (_, i) => this.offer(`${prefix}${i}`, facts));
  }

  /** Runs on until `time`: completions and ticks in order of time. */
  until(time: number): void {
    for (;;) {
      const next = Math.min(this.#wake, ...this.#completions.map(({ at }) => at));
      if (next > time || next === Infinity) break;
      this.now = Math.max(this.now, next);
      const due = this.#completions.filter(({ at }) => at <= this.now);
      this.#completions = this.#completions.filter(({ at }) => at > this.now);
      if (this.#wake <= this.now) {
        this.#wake = Infinity;
        this.scheduler.tick(this.now);
      }
      for (const { batch, result } of due) {
        this.witness.ending?.(batch, result);
        this.scheduler.batchDone(this.now, batch.runner.id, batch.id, result);
        this.witness.settledDown?.();
      }
    }
    this.now = Math.max(this.now, time === Infinity ? this.now : time);
  }

  /** Nothing is under way and nothing is awaited. */
  get quiet(): boolean {
    return this.#completions.length === 0 && this.#wake === Infinity;
  }

  /** Names of each batch's members, in order of dispatch. */
  get composition(): string[] {
    return this.batches.map(({ members }) => members.map(({ tag }) => tag.name).join(' '));
  }

  /** Rows of each batch, in order of dispatch. */
  get sizes(): number[] {
    return this.batches.map(({ rows }) => rows);
  }

  #dispatched(batch: Batch<Fate>): void {
    this.batches.push(batch);
    const { ms, result } = this.run(batch);
    const earlier = Math.max(
      this.now,
      ...this.#completions.filter((c) => c.batch.runner === batch.runner).map((c) => c.at),
    );
    this.#completions.push({ at: earlier + ms, batch, result: { ...okResult, ...result } });
  }
}

/** How a request ended, in one word or with its code; 'open' while it has not. */
export function fate(ticket: Ticket<Fate>): string {
  const [end] = ticket.tag.ends;
  if (end === undefined) return 'open';
  return end.rejection === undefined ? end.settlement : `${end.rejection.code} ${end.rejection.message}`;
}
