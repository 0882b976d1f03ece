import type { ModelQueue } from './model-queue';
import type { Runner } from './runner';

/** What an instance must have to run a batch: so many of a resource, of its device, or of all there is anywhere. */
export interface ResourceNeed {
  readonly name: string;
  readonly count: number;
  readonly global: boolean;
}

/** Where a runner is, and what its instance group asks for (`rate_limiter`). */
export interface RunnerPlace {
  /** Runners with the same text share a device. */
  readonly device: string;
  readonly needs: readonly ResourceNeed[];
  /** One of priority 2 has its turn half as often as one of 1. At least 1. */
  readonly priority: number;
}

/** How runners share devices. */
export interface RateLimits {
  /** What turns are measured by: batches, as Triton does, or the time that they take. */
  readonly turn: 'executions' | 'time';
  /** How many there are of a resource on a device ('' = any other one, and of global ones); undefined: as many as the neediest instance needs. */
  readonly available: (name: string, device: string) => number | undefined;
  /** Batches that may run at once on a device that several models share; 0 = as many as there are. */
  readonly perDevice: number;
}

/** The resource that each runner needs one of where `perDevice` is set. */
const turnOfDevice = '\0turn';

/**
 * Who may run, where runners need resources that are not there for all. A runner holds what it needs while it has a batch; where that
 * is not there its queue waits, and of those that wait the one has its turn that had least so far, by priority. Whoever comes back
 * after a pause begins where the others are: turns are not saved up. One that needs more than is free is not passed by those
 * who need the same.
 */
export class RateLimiter<T> {
  readonly #limits: RateLimits;
  readonly #available = new Map<string, number>();
  readonly #used = new Map<string, number>();
  /** By device: the queues that have runners there. */
  readonly #sharers = new Map<string, Map<ModelQueue<T>, number>>();
  readonly #waiting = new Set<ModelQueue<T>>();
  /** What the one that had its turn last had had by then. */
  #turns = 0;

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** A runner comes. Asks it for more than there is, it gets by with all that there is. */
  add(runner: Runner<T>, { device, needs, priority }: RunnerPlace): void {
    const { perDevice, available } = this.#limits;
    const own: ResourceNeed[] = perDevice > 0 ? [{ name: turnOfDevice, count: 1, global: false }] : [];
    for (const { name, count, global } of [...needs, ...own]) {
      const key = keyOf(name, global ? '' : device);
      const stated = name === turnOfDevice ? perDevice : available(name, global ? '' : device);
      const there = stated ?? Math.max(this.#available.get(key) ?? 0, count);
      this.#available.set(key, there);
      if (count > 0) runner.needs.set(key, Math.min(count, there));
    }
    if (runner.needs.size === 0) return;
    runner.priority = Math.max(1, priority);
    runner.device = device;
    runner.permitted = false;
    runner.queue.limited = true;
    const sharers = this.#sharersOf(device);
    sharers.set(runner.queue, (sharers.get(runner.queue) ?? 0) + 1);
  }

  /** A runner is gone. */
  remove(runner: Runner<T>): void {
    if (runner.needs.size === 0) return;
    this.release(runner, 0);
    const sharers = this.#sharersOf(runner.device);
    const left = (sharers.get(runner.queue) ?? 1) - 1;
    if (left > 0) sharers.set(runner.queue, left);
    else sharers.delete(runner.queue);
    if (sharers.size === 0) this.#sharers.delete(runner.device);
  }

  /** The queue has something to run. */
  want(queue: ModelQueue<T>): void {
    if (this.#waiting.has(queue)) return;
    this.#waiting.add(queue);
    queue.turns = Math.max(queue.turns, this.#turns);
  }

  /** It has nothing to run now. */
  drop(queue: ModelQueue<T>): void {
    this.#waiting.delete(queue);
  }

  /** Waits for its turn: what comes to it changes nothing. */
  waits(queue: ModelQueue<T>): boolean {
    return this.#waiting.has(queue);
  }

  /** The runner whose turn it is: it holds what it needs from now on. Undefined: nobody can have a turn. */
  next(): Runner<T> | undefined {
    const kept = new Set<string>();
    for (const queue of [...this.#waiting].toSorted((a, b) => a.turns - b.turns)) {
      for (const runner of queue.runners) {
        if (runner.permitted || runner.retired || runner.batches.size > 0) continue;
        if (this.#fits(runner, kept)) return this.#permit(runner);
        for (const key of runner.needs.keys()) kept.add(key);
      }
    }
    return undefined;
  }

  /** The runner gives back what it held; its batch, if it had one, took so long. */
  release(runner: Runner<T>, tookMs: number): void {
    if (!runner.permitted || runner.needs.size === 0) return;
    runner.permitted = false;
    for (const [key, count] of runner.needs) this.#used.set(key, (this.#used.get(key) ?? 0) - count);
    const cost = tookMs === 0 || this.#limits.turn === 'time' ? tookMs : 1;
    runner.queue.turns += cost * runner.priority - runner.charged;
  }

  #permit(runner: Runner<T>): Runner<T> {
    const { queue } = runner;
    for (const [key, count] of runner.needs) this.#used.set(key, (this.#used.get(key) ?? 0) + count);
    this.#turns = Math.max(this.#turns, queue.turns);
    // What it will have taken is known at its end; until then what it usually takes counts.
    const cost = this.#limits.turn === 'time' && queue.meanMs < Infinity ? queue.meanMs : 1;
    runner.charged = cost * runner.priority;
    queue.turns += runner.charged;
    runner.permitted = true;
    return runner;
  }

  #fits(runner: Runner<T>, kept: ReadonlySet<string>): boolean {
    for (const [key, count] of runner.needs) {
      if (key === keyOf(turnOfDevice, runner.device) && this.#sharersOf(runner.device).size <= 1) continue;
      if (kept.has(key) || (this.#used.get(key) ?? 0) + count > (this.#available.get(key) ?? 0)) return false;
    }
    return true;
  }

  #sharersOf(device: string): Map<ModelQueue<T>, number> {
    let sharers = this.#sharers.get(device);
    if (sharers === undefined) this.#sharers.set(device, (sharers = new Map()));
    return sharers;
  }
}

function keyOf(name: string, device: string): string {
  return `${name}\0${device}`;
}
