import {
  type Batch,
  type BatchResult,
  type OfferFacts,
  type QueuePolicy,
  type Rejection,
  type SchedulerActions,
  type Settlement,
  type Ticket,
} from '../src';
import type { RunnerPlace } from '../src';
import type { Fate, World } from './world';

/** What must hold was broken. */
export class Violation extends Error {}

interface Request {
  readonly fate: Fate;
  readonly facts: OfferFacts;
  readonly queue: Queue;
  readonly order: number;
  readonly level: number;
  readonly acceptedAt: number;
  readonly deadline: number;
  readonly timeoutAt: number;
  /** It was full when this came, so it must be refused. */
  readonly mustRefuse: boolean;
  state: 'waiting' | 'running' | 'settled';
  /** It is part of a batch that ran before. */
  retry: boolean;
}

interface Queue {
  readonly key: string;
  readonly policy: QueuePolicy;
  readonly requests: Set<Request>;
  retired: boolean;
  expelled: boolean;
}

interface RunnerModel {
  readonly queue: Queue;
  readonly credits: number;
  readonly place: RunnerPlace | undefined;
  readonly batches: Map<number, Request[]>;
  retired: boolean;
  refusals: number;
}

/**
 * Watches a world from outside and throws a Violation as soon as a rule of the scheduler is broken. Knows nothing of how
 * the scheduler works: it keeps books of its own, the slow and simple way.
 */
export class Invariants {
  readonly #world: () => World;
  readonly #queues = new Map<string, Queue>();
  readonly #runners = new Map<string, RunnerModel>();
  readonly #requests = new Map<Fate, Request>();
  #order = 0;
  /** The batch that ends, or the runner that is lost, in the event under way. */
  #ending: { readonly requests: readonly Request[]; readonly result: BatchResult } | undefined;
  #losing: readonly Request[] = [];
  #cancelling: Fate | undefined;

  constructor(world: () => World) {
    this.#world = world;
  }

  /** Stands between the scheduler and the world. */
  watch(actions: SchedulerActions<Fate>): SchedulerActions<Fate> {
    return {
      ...actions,
      dispatch: (batch) => {
        this.#dispatched(batch);
        actions.dispatch(batch);
      },
      settle: (ticket, settlement, rejection) => {
        this.#settled(ticket, settlement, rejection);
        actions.settle(ticket, settlement, rejection);
      },
      queueDrained: (key) => {
        this.#drained(key);
        actions.queueDrained(key);
      },
    };
  }

  addQueue(key: string, policy: QueuePolicy): void {
    this.#queues.set(key, { key, policy, requests: new Set(), retired: false, expelled: false });
  }

  retireQueue(key: string, expelled: boolean): void {
    const queue = this.#queues.get(key);
    if (queue) queue.retired = true;
    if (queue && expelled) queue.expelled = true;
  }

  addRunner(id: string, key: string, credits: number, place?: RunnerPlace): void {
    const queue = this.#queue(key);
    this.#runners.set(id, { queue, credits, place, batches: new Map(), retired: false, refusals: 0 });
  }

  retireRunner(id: string): void {
    const runner = this.#runners.get(id);
    if (runner) runner.retired = true;
  }

  losing(id: string): void {
    const runner = this.#runners.get(id);
    this.#runners.delete(id);
    this.#losing = [...(runner?.batches.values() ?? [])].flat();
  }

  cancelling(fate: Fate): void {
    this.#cancelling = fate;
  }

  offering(fate: Fate, facts: OfferFacts, key: string): void {
    const now = this.#world().now;
    const queue = this.#queue(key);
    const { policy } = queue;
    const known = facts.priority >= 1 && facts.priority <= policy.priorityLevels;
    const level = known ? facts.priority : policy.defaultLevel;
    const { timeoutMs, allowOverride, maxQueueSize } = policy.levelTimeouts.get(level) ?? policy.defaultTimeout;
    const wish = allowOverride && facts.queueTimeoutUs > 0 ? facts.queueTimeoutUs / 1000 : Infinity;
    const { background } = facts;
    const waiting = [...queue.requests].filter(
      (one) => one.state === 'waiting' && !one.retry && one.facts.background === background,
    );
    const ofLevel = waiting.filter((other) => other.level === level).length;
    const mustRefuse =
      !facts.solo &&
      facts.ageMs === 0 &&
      (background
        ? waiting.length >= Math.max(1, Math.floor(policy.bounds.requests / 4))
        : waiting.length >= policy.bounds.requests || (maxQueueSize > 0 && ofLevel >= maxQueueSize));
    const request: Request = {
      fate,
      facts,
      queue,
      order: (this.#order += 1),
      level,
      acceptedAt: now - facts.ageMs,
      deadline: facts.timeoutMs === 0 ? Infinity : now + facts.timeoutMs,
      timeoutAt: timeoutMs > 0 && !background ? now + Math.min(timeoutMs, wish) : Infinity,
      mustRefuse,
      state: 'waiting',
      retry: false,
    };
    this.#requests.set(fate, request);
    queue.requests.add(request);
  }

  ending(batch: Batch<Fate>, result: BatchResult): void {
    const runner = this.#runners.get(batch.runner.id);
    const requests = runner?.batches.get(batch.id);
    if (runner === undefined || requests === undefined) return;
    runner.batches.delete(batch.id);
    runner.refusals = result.outcome === 'refused' ? runner.refusals + 1 : 0;
    if (runner.refusals >= 3) runner.retired = true;
    for (const request of requests) {
      if (request.state !== 'running') continue;
      request.state = 'waiting';
      request.retry = result.outcome === 'failed' || (result.outcome === 'refused' && batch.reason === 'retry');
    }
    this.#ending = { requests, result };
  }

  /** After each event: what must hold between events. */
  afterEvent(): void {
    const now = this.#world().now;
    if (this.#ending?.result.outcome === 'ok') {
      demand(
        this.#ending.requests.every(({ state }) => state === 'settled'),
        'a batch ended and a member was forgotten',
      );
    }
    demand(
      this.#losing.every(({ state }) => state === 'settled'),
      'a runner was lost and a member was forgotten',
    );
    this.#ending = undefined;
    this.#losing = [];
    this.#cancelling = undefined;
    for (const queue of this.#queues.values()) this.#checkQueue(queue, now);
  }

  /** At the end of a history in which everything was given the chance to end. */
  atEnd(): void {
    for (const { fate } of this.#requests.values()) demand(fate.ends.length === 1, `${fate.name} was not settled once`);
    demand(this.#queues.size === 0, 'a queue was not drained');
    demand(this.#world().quiet, 'something is still under way');
  }

  #queue(key: string): Queue {
    const queue = this.#queues.get(key);
    if (queue === undefined) throw new Error(`no queue ${key}`);
    return queue;
  }

  #checkQueue(queue: Queue, now: number): void {
    const waiting = [...queue.requests].filter(({ state }) => state === 'waiting');
    demand(
      waiting.every(({ deadline }) => deadline > now),
      'an expired request still waits',
    );
    if (waiting.length === 0) return;
    demand(!queue.expelled, 'something waits in a queue that was expelled');
    const runners = [...this.#runners.values()].filter((runner) => runner.queue === queue);
    if (!runners.some((runner) => !runner.retired && runner.batches.size === 0)) return;
    // Where turns are shared, others may have them.
    const shared = [...this.#runners.values()].some(({ place, batches }) => place !== undefined && batches.size > 0);
    if (shared && runners.some(({ place }) => place !== undefined)) return;
    const { dynamic, maxDelayMs, maxBatchSize, deferred } = queue.policy;
    const mayHold = dynamic && (maxDelayMs > 0 || deferred) && !queue.retired;
    const plain = waiting.filter(({ facts }) => !facts.background);
    if (plain.length === 0) {
      // The background rests while plain requests come, and not for longer.
      const plainAt = this.#world().scheduler.queue(queue.key)?.plainAt ?? -Infinity;
      demand(now < plainAt + 250, 'a runner is idle while a background request waits, and nothing else');
      return;
    }
    const rows = plain.reduce((sum, { facts }) => sum + facts.rows, 0);
    demand(mayHold, 'a runner is idle while a request waits');
    demand(rows < maxBatchSize, 'a runner is idle while a full batch waits');
    const mayDefer = deferred && plain.some(({ deadline }) => deadline < Infinity);
    demand(
      mayDefer || plain.every(({ acceptedAt }) => acceptedAt + maxDelayMs > now),
      'a request waited for longer than the delay',
    );
    demand(
      plain.every(({ retry }) => !retry),
      'a runner is idle while a retry waits',
    );
  }

  #dispatched(batch: Batch<Fate>): void {
    const now = this.#world().now;
    const runner = this.#runners.get(batch.runner.id);
    if (runner === undefined) throw new Violation('dispatched to a runner that is gone');
    const { queue } = runner;
    const { policy } = queue;
    const members = batch.members.map(({ tag }) => this.#request(tag));
    demand(members.length > 0, 'an empty batch');
    demand(new Set(members).size === members.length, 'a request twice in a batch');
    for (const member of members) {
      demand(member.queue === queue, 'a request of another queue');
      demand(member.state === 'waiting', `${member.fate.name} dispatched while ${member.state}`);
      demand(member.deadline > now, 'dispatched after its deadline');
      demand(!member.mustRefuse, 'dispatched though its queue was full');
    }
    const rows = members.reduce((sum, { facts }) => sum + facts.rows, 0);
    demand(rows === batch.rows && rows <= policy.maxBatchSize, 'too many rows');
    demand(policy.dynamic || members.length === 1, 'a batch where none may be');
    demand(new Set(members.map(({ facts }) => facts.shapeKey)).size === 1, 'different shapes in a batch');
    demand(!runner.retired, 'dispatched to a retired runner');
    demand(runner.batches.size < runner.credits, 'more batches than credits');
    const others = [...runner.batches.values()].flat();
    demand(!others.some(({ facts }) => facts.solo), 'dispatched beside a solo request');
    if (members.some(({ facts }) => facts.solo))
      demand(members.length === 1 && others.length === 0, 'a solo request in company');
    demand(this.#resourcesFor(runner) <= 2, 'more resources in use than there are');
    const background = members.filter(({ facts }) => facts.background).length;
    demand(background === 0 || background === members.length, 'a batch of both kinds');
    demand(background === 0 || runner.batches.size === 0, 'a background batch behind another');
    this.#checkOrder(queue, members, now);
    for (const member of members) member.state = 'running';
    runner.batches.set(batch.id, members);
  }

  /** In use by those that run and share the most with this runner, and by it. */
  #resourcesFor(runner: RunnerModel): number {
    const { place } = runner;
    const [own] = place?.needs ?? [];
    if (place === undefined || own === undefined) return 0;
    demand(runner.batches.size === 0, 'two batches for one turn');
    let inUse = own.count;
    for (const { batches, place: there } of this.#runners.values()) {
      const [other] = there?.needs ?? [];
      if (batches.size === 0 || other === undefined || other.global !== own.global) continue;
      if (own.global || there?.device === place.device) inUse += other.count;
    }
    return inUse;
  }

  #checkOrder(queue: Queue, members: readonly Request[], now: number): void {
    const others = [...queue.requests].filter((one) => one.state === 'waiting' && !members.includes(one));
    const background = members.some(({ facts }) => facts.background);
    const plain = others.filter(({ facts }) => !facts.background);
    demand(!background || plain.length === 0, 'a background request overtook a plain one');
    const waiting = background ? others : plain;
    const retries = members.filter(({ retry }) => retry).length;
    demand(retries === 0 || retries === members.length, 'a retry was merged with others');
    if (retries > 0) return;
    demand(!waiting.some(({ retry }) => retry), 'overtook a retry');
    const last = members.at(-1) as Request;
    for (const [i, member] of members.entries()) {
      const next = members[i + 1];
      demand(next === undefined || precedes(member, next, now), 'members out of order');
    }
    for (const other of waiting) demand(precedes(last, other, now), `${last.fate.name} overtook ${other.fate.name}`);
  }

  #settled({ tag }: Ticket<Fate>, settlement: Settlement, rejection: Rejection | undefined): void {
    const request = this.#request(tag);
    const now = this.#world().now;
    demand(request.state !== 'settled', `${tag.name} settled twice`);
    demand((settlement === 'rejected') === (rejection !== undefined), 'a rejection without a reason');
    const ended = this.#ending?.requests.includes(request) ?? false;
    const member = this.#ending?.requests.indexOf(request) ?? -1;
    const absent = this.#ending?.result.absent.includes(member) ?? false;
    if (settlement === 'answered') {
      demand(ended && this.#ending?.result.outcome === 'ok' && !absent, 'answered without a run');
      demand(!this.#ending?.result.memberErrors.some((one) => one.member === member), 'answered though it failed');
    }
    if (settlement === 'lost') demand(this.#losing.includes(request), 'lost without a lost runner');
    if (settlement === 'cancelled') demand(this.#cancelling === tag || (ended && absent), 'cancelled by nobody');
    if (rejection?.reason === 'full') demand(request.mustRefuse, 'refused though there was room');
    if (rejection?.reason === 'deadline') demand(request.deadline <= now, 'expired too early');
    if (rejection?.reason === 'late') {
      const { planDeadlines } = request.queue.policy;
      demand(planDeadlines && request.deadline < Infinity && !request.retry, 'too late without a deadline');
    }
    if (rejection?.reason === 'timeout') demand(request.timeoutAt <= now && !request.retry, 'timed out too early');
    if (rejection?.reason === 'model') demand(ended, 'failed without a run');
    if (rejection?.reason === 'retired') demand(request.queue.retired, 'refused by a queue that is not retired');
    request.state = 'settled';
    request.queue.requests.delete(request);
  }

  #drained(key: string): void {
    const queue = this.#queue(key);
    demand(queue.retired && queue.requests.size === 0, 'drained while it holds requests');
    this.#queues.delete(key);
    for (const [id, runner] of this.#runners) if (runner.queue === queue) this.#runners.delete(id);
  }

  #request(fate: Fate): Request {
    const request = this.#requests.get(fate);
    if (request === undefined) throw new Violation('a request that was never offered');
    return request;
  }
}

function demand(holds: boolean | undefined, message: string): void {
  if (holds !== true) throw new Violation(message);
}

/** The order in which requests of one queue must leave. */
function precedes(a: Request, b: Request, now: number): boolean {
  const [x, y] = [orderOf(a, now), orderOf(b, now)];
  for (let i = 0; i < x.length; i += 1) if (x[i] !== y[i]) return (x[i] as number) < (y[i] as number);
  return false;
}

function orderOf(request: Request, now: number): number[] {
  const { policy } = request.queue;
  const byArrival = policy.preserveOrdering || !policy.dynamic;
  const due = byArrival ? 0 : Math.min(request.deadline, request.acceptedAt + 5000);
  const late = request.timeoutAt <= now;
  return [request.level, late ? 1 : 0, late ? request.timeoutAt : due, request.order];
}
