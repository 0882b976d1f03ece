import { type BatchResult, type OfferFacts, type QueuePolicy } from '../src';

/*
 * The scheduler once more, written to be read: what it promises of one queue whose runners take one batch at a time. No state is
 * kept beside the requests themselves; whatever is asked is found by looking at all of them, again at each event. So it has no
 * shortcut that could be wrong, and is far too slow to serve.
 */

interface Request {
  readonly name: string;
  readonly facts: OfferFacts;
  readonly order: number;
  readonly level: number;
  readonly acceptedAt: number;
  readonly deadline: number;
  readonly timeoutAt: number;
  /** Moved behind the others of its level. */
  delayed: boolean;
  refusals: number;
  state: 'waiting' | 'pinned' | 'running' | 'over';
}

interface RunnerState {
  readonly id: string;
  running: { readonly members: readonly Request[]; readonly retry: boolean } | undefined;
  /** Order of becoming idle. */
  idleSince: number;
  retired: boolean;
  refusals: number;
}

/** What a batch of the first requests would be, and when. */
interface Formed {
  readonly members: readonly Request[];
  /** Not before this. */
  readonly from: number;
}

export class Reference {
  /** What was decided, in order: `TIME RUNNER: NAME NAME …` for a batch. */
  readonly batches: string[] = [];
  /** `TIME NAME END` for each request that is over, in no order within a time. */
  readonly ends: string[] = [];
  readonly #policy: QueuePolicy;
  readonly #requests: Request[] = [];
  readonly #runners: RunnerState[] = [];
  /** Parts of batches that failed, first to go first. */
  #pinned: Request[][] = [];
  #events = 0;

  constructor(policy: QueuePolicy) {
    this.#policy = policy;
  }

  offer(now: number, name: string, facts: OfferFacts): void {
    this.advance(now);
    const { priorityLevels, defaultLevel } = this.#policy;
    const level = facts.priority >= 1 && facts.priority <= priorityLevels ? facts.priority : defaultLevel;
    const request: Request = {
      ...{ name, facts, level, delayed: false, refusals: 0, state: 'waiting' as const },
      order: (this.#events += 1),
      acceptedAt: now - facts.ageMs,
      deadline: facts.timeoutMs === 0 ? Infinity : now + facts.timeoutMs,
      timeoutAt: now + this.#patience(level, facts),
    };
    const why = this.#refusal(request);
    if (why !== undefined) {
      this.#end(now, request, why);
      return;
    }
    this.#requests.push(request);
    this.#decide(now);
  }

  cancel(now: number, name: string): void {
    this.advance(now);
    const request = this.#requests.find((one) => one.name === name && one.state !== 'over');
    if (request === undefined) return;
    const ran = request.state === 'running';
    this.#end(now, request, 'cancelled');
    if (!ran) this.#decide(now);
  }

  addRunner(now: number, id: string): void {
    this.advance(now);
    this.#runners.push({ id, running: undefined, idleSince: (this.#events += 1), retired: false, refusals: 0 });
    this.#decide(now);
  }

  retireRunner(id: string): void {
    const runner = this.#runners.find((one) => one.id === id);
    if (runner) runner.retired = true;
  }

  loseRunner(now: number, id: string): void {
    this.advance(now);
    const at = this.#runners.findIndex((one) => one.id === id);
    if (at < 0) return;
    const [runner] = this.#runners.splice(at, 1);
    for (const one of runner?.running?.members ?? []) if (one.state === 'running') this.#end(now, one, 'lost');
    this.#decide(now);
  }

  batchDone(now: number, id: string, result: BatchResult): void {
    this.advance(now);
    const runner = this.#runners.find((one) => one.id === id);
    const batch = runner?.running;
    if (runner === undefined || batch === undefined) return;
    runner.running = undefined;
    runner.idleSince = this.#events += 1;
    const { members } = batch;
    const open = () => members.filter(({ state }) => state === 'running');
    if (result.outcome === 'refused') this.#refused(now, runner, open(), batch.retry);
    else {
      runner.refusals = 0;
      if (result.outcome === 'ok') {
        for (const { member } of result.memberErrors) this.#endOpen(now, members[member], 'model');
        for (const member of result.absent) this.#endOpen(now, members[member], 'cancelled');
        for (const one of open()) this.#end(now, one, 'answered');
      } else {
        for (const member of result.absent) this.#endOpen(now, members[member], 'cancelled');
        const ranAlone = members.length - new Set(result.absent.filter((at) => at < members.length)).size <= 1;
        if (ranAlone) for (const one of open()) this.#end(now, one, 'model');
        else this.#pin(halves(open()));
      }
    }
    this.#decide(now);
  }

  /** What falls due by itself, up to and with `until`. */
  advance(until: number): void {
    for (let at = this.#nextAlarm(); at <= until; at = this.#nextAlarm()) this.#decide(at);
  }

  get #waiting(): Request[] {
    const key = (one: Request): readonly number[] => {
      const byArrival = this.#policy.preserveOrdering || !this.#policy.dynamic;
      const due = byArrival ? 0 : Math.min(one.deadline, one.acceptedAt + 5000);
      return [one.level, one.delayed ? 1 : 0, one.delayed ? one.timeoutAt : due, one.order];
    };
    return this.#requests
      .filter(({ state }) => state === 'waiting')
      .toSorted((a, b) => {
        const [x, y] = [key(a), key(b)];
        const at = x.findIndex((value, i) => value !== y[i]);
        return (x[at] as number) - (y[at] as number);
      });
  }

  #levelPolicy(level: number) {
    return this.#policy.levelTimeouts.get(level) ?? this.#policy.defaultTimeout;
  }

  #patience(level: number, { queueTimeoutUs }: OfferFacts): number {
    const { timeoutMs, allowOverride } = this.#levelPolicy(level);
    if (timeoutMs === 0) return Infinity;
    return allowOverride && queueTimeoutUs > 0 ? Math.min(timeoutMs, queueTimeoutUs / 1000) : timeoutMs;
  }

  #refusal({ facts, level }: Request): string | undefined {
    if (facts.rows > this.#policy.maxBatchSize) return 'size';
    if (facts.timeoutMs < 0) return 'deadline';
    if (facts.solo || facts.ageMs > 0) return undefined;
    const waiting = this.#waiting;
    const { maxQueueSize } = this.#levelPolicy(level);
    const ofLevel = waiting.filter((one) => one.level === level).length;
    if (maxQueueSize > 0 && ofLevel >= maxQueueSize) return 'full';
    return waiting.length >= this.#policy.bounds.requests ? 'full' : undefined;
  }

  #decide(now: number): void {
    for (const one of this.#requests) {
      if (one.state !== 'waiting' && one.state !== 'pinned') continue;
      if (one.deadline <= now) this.#end(now, one, 'deadline');
      else if (one.state === 'waiting' && !one.delayed && one.timeoutAt <= now) {
        if (this.#levelPolicy(one.level).action === 'delay') one.delayed = true;
        else this.#end(now, one, 'timeout');
      }
    }
    for (;;) {
      const runner = this.#idleRunner();
      if (runner === undefined) return;
      this.#pinned = this.#pinned.map(alive).filter((part) => part.length > 0);
      const part = this.#pinned.shift();
      const formed = part ? { members: part, from: now } : this.#form(now);
      if (formed === undefined || formed.from > now) return;
      for (const one of formed.members) one.state = 'running';
      runner.running = { members: formed.members, retry: part !== undefined };
      this.batches.push(`${now} ${runner.id}: ${formed.members.map(({ name }) => name).join(' ')}`);
    }
  }

  #idleRunner(): RunnerState | undefined {
    const idle = this.#runners.filter(({ running, retired }) => running === undefined && !retired);
    return idle.toSorted((a, b) => a.idleSince - b.idleSince)[0];
  }

  /** The next batch that was not made before. */
  #form(now: number): Formed | undefined {
    const waiting = this.#waiting;
    const [first] = waiting;
    if (first === undefined) return undefined;
    const { dynamic, maxBatchSize, preferredSizes, maxDelayMs } = this.#policy;
    if (!dynamic || first.facts.solo) return { members: [first], from: now };
    const rowsOf = (count: number) => waiting.slice(0, count).reduce((sum, one) => sum + rows(one), 0);
    const fits = (count: number) =>
      (count === 1 || rowsOf(count) <= maxBatchSize) &&
      waiting.slice(1, count).every((one) => !one.facts.solo && one.facts.shapeKey === first.facts.shapeKey);
    const counts = waiting.map((_, i) => i + 1);
    const fitting = counts.filter(fits);
    const most = fitting.at(-1) as number;
    const patienceOf = (one: Request) => {
      const delay = one.acceptedAt + maxDelayMs;
      return one.deadline === Infinity ? delay : Math.min(delay, (one.acceptedAt + one.deadline) / 2);
    };
    const patience = (count: number) => Math.min(...waiting.slice(0, count).map(patienceOf));
    const largest = preferredSizes.at(-1) as number;
    // Looking on from request to request ends at the first batch beyond the largest preferred size, if one was met before it
    // (or the batch before it counts as one), and none in it has waited long enough.
    const met = fitting.filter((count) => preferredSizes.includes(rowsOf(count)));
    const crossing = counts.find((count) => count > 1 && count <= most + 1 && rowsOf(count) > largest);
    const beyond = crossing !== undefined && !met.some((count) => count < crossing) ? [crossing - 1] : [];
    const best = Math.max(0, ...met.filter((count) => crossing === undefined || count < crossing), ...beyond);
    const seen =
      crossing !== undefined && best > 0
        ? (fitting.find((count) => count >= crossing && patience(count) > now) ?? most)
        : most;
    const waited = maxDelayMs > 0 && patience(seen) <= now;
    const closed = seen === most && most < waiting.length && !fits(most + 1);
    const members = (count: number) => waiting.slice(0, count);
    if (!waited && best > 0) return { members: members(best), from: now };
    if (closed || rowsOf(seen) >= largest || maxDelayMs === 0 || waited) return { members: members(seen), from: now };
    return { members: members(seen), from: patience(seen) };
  }

  #nextAlarm(): number {
    const times = this.#requests.flatMap((one) => {
      if (one.state === 'waiting') return [one.deadline, ...(one.delayed ? [] : [one.timeoutAt])];
      return one.state === 'pinned' ? [one.deadline] : [];
    });
    const held = this.#idleRunner() === undefined ? undefined : this.#form(-Infinity);
    return Math.min(Infinity, ...times, held?.from === -Infinity ? Infinity : (held?.from ?? Infinity));
  }

  #refused(now: number, runner: RunnerState, open: readonly Request[], retry: boolean): void {
    runner.refusals += 1;
    if (runner.refusals >= 3) runner.retired = true;
    for (const one of open) {
      one.refusals += 1;
      if (one.refusals >= 8) this.#end(now, one, 'refused');
    }
    const back = alive(open);
    if (retry) this.#pin(back.length > 0 ? [back] : []);
    else for (const one of back) one.state = 'waiting';
  }

  #pin(parts: readonly Request[][]): void {
    for (const part of parts) for (const one of part) one.state = 'pinned';
    this.#pinned = [...parts, ...this.#pinned];
  }

  #endOpen(now: number, request: Request | undefined, how: string): void {
    if (request?.state === 'running') this.#end(now, request, how);
  }

  #end(now: number, request: Request, how: string): void {
    request.state = 'over';
    this.ends.push(`${now} ${request.name} ${how}`);
  }
}

function rows({ facts }: Request): number {
  return Math.max(1, facts.rows);
}

function alive(part: readonly Request[]): Request[] {
  return part.filter(({ state }) => state !== 'over');
}

function halves(part: readonly Request[]): Request[][] {
  const middle = Math.ceil(part.length / 2);
  return [part.slice(0, middle), part.slice(middle)].filter((half) => half.length > 0);
}
