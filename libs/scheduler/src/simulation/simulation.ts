import { type Arrivals, type HeapItem, IndexedHeap, type Random } from '@shoal/core';
import type { Batch } from '../batch';
import { type QueuePolicy, queuePolicy } from '../policy';
import type { BatchResult } from '../run-outcome';
import { Scheduler } from '../scheduler';
import type { OfferFacts } from '../ticket';
import { LogHistogram } from './log-histogram';
import type { ModelProfile } from './model-profile';
import type { SimulationOutcome } from './outcome';
import { RunTimes } from './run-times';

/** What is simulated. Times in milliseconds. */
export interface SimulationOptions {
  readonly profile: ModelProfile;
  readonly runners: number;
  /** Batches that a runner takes at once; Shoal's runners take 32. */
  readonly credits: number;
  readonly arrivals: Arrivals;
  readonly random: Random;
  /** Requests come until then. */
  readonly durationMs: number;
  /** Requests before this are not counted. */
  readonly warmupMs: number;
  /** Rows of a request. */
  readonly rows: number;
  /** Deadline of each request; 0 = none. */
  readonly deadlineMs: number;
  /** What an answer may take to count as good; Infinity = whatever it takes. */
  readonly objectiveMs: number;
  /** What the server is told of its queues. */
  readonly queue: Pick<QueuePolicy, 'bounds'> &
    Partial<Pick<QueuePolicy, 'batchEfficiency' | 'planDeadlines' | 'deferred'>>;
}

/** A batch that will be over. */
class Completion implements HeapItem {
  heapKey = Infinity;
  heapIndex = -1;
  readonly batch: Batch<number>;
  readonly runMs: number;

  constructor(batch: Batch<number>, runMs: number) {
    this.batch = batch;
    this.runMs = runMs;
  }
}

const key = 'simulated/1@0';
const ran = {
  ...({ outcome: 'ok', code: 'UNKNOWN', message: '', memberErrors: [], absent: [] } satisfies BatchResult),
  ...{ computeInputNs: 0, computeInferNs: 0, computeOutputNs: 0 },
};
const sliceCount = 60;

/**
 * One model version, its runners and its clients, on a virtual clock around the very scheduler that serves. A runner loads a batch
 * while it runs another, runs one at a time, and says when it is done; clients do not wait for one another (an open loop).
 */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #scheduler: Scheduler<number>;
  readonly #runTimes: RunTimes;
  readonly #completions = new IndexedHeap<Completion>();
  /** By runner: when what it has been given will be over. */
  readonly #freeAt: Float64Array;
  readonly #facts: OfferFacts;
  /** Of whichever batch ends. */
  readonly #ran = { ...ran };
  #now = 0;
  #wake = Infinity;
  #nextArrival: number;
  #events = 0;

  readonly #latency = new LogHistogram();
  readonly #queueing = new LogHistogram();
  readonly #shed = new Map<string, number>();
  readonly #batchSizes: number[];
  readonly #slices: { offered: number; latency: LogHistogram }[];
  #offered = 0;
  #batches = 0;
  #rows = 0;
  #busyMs = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { profile, runners, credits, random, rows, deadlineMs } = options;
    this.#runTimes = new RunTimes(profile, random);
    this.#freeAt = new Float64Array(runners);
    this.#batchSizes = new Array<number>(profile.maxBatchSize + 1).fill(0);
    this.#slices = Array.from({ length: sliceCount }, () => ({ offered: 0, latency: new LogHistogram() }));
    this.#facts = {
      ...{ rows, shapeKey: '', bytes: 0, timeoutMs: 0, ageMs: 0, priority: 0, queueTimeoutUs: 0 },
      ...{ solo: false, background: false },
      // Half of the way has been gone when batching hears of it.
      ...(deadlineMs > 0 && { timeoutMs: Math.max(0.001, deadlineMs - profile.overheadMs / 2) }),
    };
    this.#scheduler = new Scheduler<number>({
      dispatch: (batch) => this.#dispatched(batch),
      settle: ({ tag }, settlement, rejection) =>
        this.#settled(tag, settlement === 'answered' ? '' : rejection?.reason),
      wakeAt: (time) => (this.#wake = time),
      queueDrained: () => undefined,
    });
    this.#scheduler.addQueue(
      key,
      queuePolicy({
        dynamic: profile.dynamicBatching,
        maxBatchSize: profile.maxBatchSize,
        preferredSizes: profile.preferredBatchSizes,
        maxDelayMs: profile.maxQueueDelayMs,
        ...options.queue,
      }),
    );
    for (let i = 0; i < runners; i += 1) this.#scheduler.addRunner(0, String(i), key, credits);
    this.#nextArrival = this.#arrival();
  }

  /** Share of the way that has been gone, 0 … 1. */
  get progress(): number {
    return Math.min(1, this.#now / this.#options.durationMs);
  }

  /** Goes on for about so many events. True when all is over. */
  run(events: number): boolean {
    const { profile } = this.#options;
    const until = this.#events + events;
    while (this.#events < until) {
      const next = Math.min(this.#nextArrival, this.#completions.firstKey, this.#wake);
      if (next === Infinity) return true;
      this.#now = Math.max(this.#now, next);
      this.#events += 1;
      if (this.#completions.firstKey === next) this.#complete(this.#completions.first as Completion);
      else if (this.#wake === next) {
        this.#wake = Infinity;
        this.#scheduler.tick(this.#now);
      } else {
        const sentAt = next - profile.overheadMs / 2;
        this.#nextArrival = this.#arrival();
        this.#offer(sentAt);
      }
    }
    return false;
  }

  /** What has been seen so far. */
  outcome(): SimulationOutcome {
    const { durationMs, warmupMs, runners, objectiveMs } = this.#options;
    const seconds = (durationMs - warmupMs) / 1000;
    const { count } = this.#latency;
    const good = objectiveMs === Infinity ? count : this.#latency.countUpTo(objectiveMs);
    return {
      ...{
        runners,
        seconds,
        offered: this.#offered,
        answered: count,
        latency: this.#latency,
        queueing: this.#queueing,
      },
      shed: Object.fromEntries(this.#shed),
      throughput: count / seconds,
      goodput: good / seconds,
      batchSizes: this.#batchSizes,
      meanBatch: this.#rows / this.#batches,
      utilisation: this.#busyMs / (runners * Math.max(durationMs, this.#now)),
      slices: this.#slices.map(({ offered, latency }, i) => ({
        ...{ fromMs: (i * durationMs) / sliceCount, offered },
        p50Ms: latency.quantile(0.5),
        p99Ms: latency.quantile(0.99),
      })),
      events: this.#events,
    };
  }

  /** When batching will hear of the next request; Infinity when there is none. */
  #arrival(): number {
    const at = this.#options.arrivals.next();
    return at < this.#options.durationMs ? at + this.#options.profile.overheadMs / 2 : Infinity;
  }

  #offer(sentAt: number): void {
    if (sentAt >= this.#options.warmupMs) this.#offered += 1;
    const slice = this.#slices[this.#sliceOf(sentAt)];
    if (slice !== undefined) slice.offered += 1;
    this.#scheduler.offer(this.#now, key, this.#facts, sentAt);
  }

  #complete(completion: Completion): void {
    this.#completions.delete(completion);
    const { runner, id } = completion.batch;
    this.#ran.computeInferNs = completion.runMs * 1e6;
    this.#scheduler.batchDone(this.#now, runner.id, id, this.#ran satisfies BatchResult);
  }

  #dispatched(batch: Batch<number>): void {
    const { profile, warmupMs } = this.#options;
    const runner = Number(batch.runner.id);
    const ms = this.#runTimes.sample(batch.rows);
    const startsAt = Math.max(this.#now + profile.transferMs, this.#freeAt[runner] as number);
    this.#freeAt[runner] = startsAt + ms;
    this.#busyMs += ms;
    this.#completions.set(new Completion(batch, ms), startsAt + ms + profile.doneMs);
    if (this.#now < warmupMs) return;
    this.#batches += 1;
    this.#rows += batch.rows;
    this.#batchSizes[batch.rows] = (this.#batchSizes[batch.rows] ?? 0) + 1;
    for (const { acceptedAt } of batch.members) this.#queueing.record(this.#now - acceptedAt);
  }

  #settled(sentAt: number, reason: string | undefined): void {
    const counts = sentAt >= this.#options.warmupMs;
    if (reason !== '') {
      if (counts) this.#shed.set(reason ?? 'cancelled', (this.#shed.get(reason ?? 'cancelled') ?? 0) + 1);
      return;
    }
    const { overheadMs, doneMs } = this.#options.profile;
    const latencyMs = this.#now - doneMs + overheadMs / 2 - sentAt;
    this.#slices[this.#sliceOf(sentAt)]?.latency.record(latencyMs);
    if (counts) this.#latency.record(latencyMs);
  }

  #sliceOf(at: number): number {
    return Math.floor((at / this.#options.durationMs) * sliceCount);
  }
}
