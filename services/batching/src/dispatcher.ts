import {
  type ModelKey,
  type QueueReport,
  type RequestStory,
  type RunnerAnnouncement,
  type VersionStatistics,
  queueKey,
} from '@shoal/bus';
import type { Counter } from '@shoal/telemetry';
import type { Clock } from '@shoal/core';
import type { BatchFacts, Cancel, Done, Link, Offer, Ready } from '@shoal/link';
import type { ModelConfig } from '@shoal/protocol';
import {
  type Batch,
  type BucketCurve,
  type Rejection,
  type RunnerPlace,
  Scheduler,
  type SchedulerActions,
  type Settlement,
  type Ticket,
} from '@shoal/scheduler';
import { type QueueLimits, compileQueuePolicy } from './compile-policy';
import type { BatchingConfig } from './flags';
import type { BatchingMetrics, OpenQueue } from './metrics/batching-metrics';
import { BatchJournal } from './journal/batch-journal';
import { queueReport } from './journal/queue-report';
import { notReady } from './not-ready';
import { compileRateLimits, placeOf } from './rate-limits';
import type { OfferTag, RouterLink } from './router-link';
import type { RunnerEvents } from './runner-links';
import { StatisticsRecord } from './statistics';
import type { BatchSpans } from './tracing/batch-spans';
import { WakeTimer } from './wake-timer';

interface ReadyRunner {
  readonly link: Link;
  readonly ready: Ready;
  readonly place: RunnerPlace;
  /** How long it has run batches; found at the first of them. */
  busy: Counter | undefined;
}

/** Turns what links and bus tell into the scheduler's events, and its decisions into messages and statistics. */
export class Dispatcher implements RunnerEvents, SchedulerActions<OfferTag> {
  readonly #clock: Clock;
  readonly #limits: QueueLimits;
  readonly #scheduler: Scheduler<OfferTag>;
  readonly #timer: WakeTimer;
  /** By queue. */
  readonly #statistics = new Map<string, StatisticsRecord>();
  readonly #runners = new Map<string, ReadyRunner>();
  readonly #metrics: BatchingMetrics | undefined;
  readonly #drained = new Map<string, (() => void)[]>();
  /** The batch whose end the scheduler is being told. */
  #ending: { readonly batch: Batch<OfferTag>; readonly done: Done; readonly now: number } | undefined;

  readonly #onDrained: (key: string) => void;
  readonly #spans: BatchSpans | undefined;
  /** Undefined: nobody will ask. */
  readonly #journal: BatchJournal | undefined;

  /**
   * @param onDrained Told of each queue that was retired and is now over.
   * @param spans Undefined: nothing is recorded.
   */
  constructor(
    clock: Clock,
    config: BatchingConfig,
    lastBatchId: number,
    onDrained: (key: string) => void,
    metrics?: BatchingMetrics,
    spans?: BatchSpans,
  ) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#spans = spans;
    if (config.batchJournal > 0) this.#journal = new BatchJournal(clock, config.batchJournal);
    metrics?.follow(
      () => this.#openQueues(),
      () => clock.now(),
    );
    this.#scheduler = new Scheduler<OfferTag>(this, lastBatchId, compileRateLimits(config));
    this.#onDrained = onDrained;
    this.#limits = {
      bounds: { requests: config.maxQueueRequests, rows: config.maxQueueRows, bytes: config.maxQueueBytes },
      backgroundBatchMs: config.backgroundBatchMs,
      batchEfficiency: config.batchEfficiency,
      planDeadlines: config.planDeadlines,
      deferred: config.deferredBatching,
      maxWaitMs: config.maxQueueWaitSecs === 0 ? Infinity : config.maxQueueWaitSecs * 1000,
    };
    this.#timer = new WakeTimer(clock, () => this.#scheduler.tick(clock.now()));
  }

  /** A version comes up: its queue opens, with what is known of it from before, for runners that are there already too. */
  open(version: ModelKey, config: ModelConfig, curves: readonly BucketCurve[] = []): void {
    const key = queueKey(version);
    if (this.#statistics.has(key)) return;
    this.#statistics.set(key, new StatisticsRecord(version, this.#metrics?.opened(version)));
    this.#scheduler.addQueue(key, compileQueuePolicy(config, this.#limits), curves);
    for (const { ready } of this.#runners.values()) if (ready.queue === key) this.#addRunner(ready);
  }

  /** What was learnt of each version's model, by MODEL/VERSION. */
  *learnt(): Iterable<readonly [string, readonly BucketCurve[]]> {
    for (const key of this.#statistics.keys()) {
      const curves = this.#scheduler.queue(key)?.latency.curves ?? [];
      if (curves.length > 0) yield [key.slice(0, key.lastIndexOf('@')), curves];
    }
  }

  /** What is known from before of a version, MODEL/VERSION, whose queue may be open already. */
  recall(name: string, curves: readonly BucketCurve[]): void {
    for (const key of this.#statistics.keys()) {
      if (key.startsWith(`${name}@`)) this.#scheduler.queue(key)?.recall(curves);
    }
  }

  /** What was counted for one loading of a version; undefined when it has no queue here. */
  statistics(version: ModelKey): VersionStatistics | undefined {
    return this.#statistics.get(queueKey(version))?.report();
  }

  /** What is known of recent requests with this id. */
  stories(requestId: string, most: number): RequestStory[] {
    return this.#journal?.find(requestId, most) ?? [];
  }

  /** How the queues of a model stand; '' = of all. */
  queues(model: string): QueueReport[] {
    const now = this.#clock.now();
    return [...this.#openQueues()]
      .filter(({ version }) => model === '' || version.model === model)
      .map(({ version, queue }) => queueReport(version, queue, now));
  }

  /** Nobody will serve this queue any more. */
  expel(key: string): void {
    this.#scheduler.expelQueue(this.#clock.now(), key, notReady(key));
  }

  /** Resolves when the queue is empty, or after `timeoutMs`, when what still waits has been refused. */
  async retire(key: string, timeoutMs: number): Promise<void> {
    if (!this.#statistics.has(key)) return;
    const drained = new Promise<void>((resolve) => {
      this.#drained.set(key, [...(this.#drained.get(key) ?? []), resolve]);
    });
    let cancelTimer = (): void => undefined;
    const timeout = new Promise<void>((resolve) => {
      cancelTimer = this.#clock.schedule(timeoutMs, () => {
        this.expel(key);
        resolve();
      });
    });
    this.#scheduler.retireQueue(this.#clock.now(), key, notReady(key));
    await Promise.race([drained, timeout]);
    cancelTimer();
  }

  /** Retires all queues. */
  async drain(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#statistics.keys()].map((key) => this.retire(key, timeoutMs)));
  }

  close(): void {
    this.#timer.clear();
  }

  offer(router: RouterLink, offer: Offer): void {
    if (router.ticket(offer.offerId) !== undefined) return;
    const trace = this.#spans?.offered(offer);
    const ticket = this.#scheduler.offer(this.#clock.now(), offer.queue, offer, router.tag(offer, trace));
    if (ticket === undefined) {
      router.reject(offer.offerId, 'UNAVAILABLE', notReady(offer.queue), 'queue');
    } else if (ticket.state !== 'settled') {
      router.keep(ticket);
      if (trace) this.#spans?.waits(ticket);
    }
  }

  cancel(router: RouterLink, { offerId }: Cancel): void {
    const ticket = router.ticket(offerId);
    if (ticket !== undefined) this.#scheduler.cancel(this.#clock.now(), ticket);
  }

  /** Nobody waits for anything that this router offered. */
  routerLost(router: RouterLink): void {
    const now = this.#clock.now();
    for (const ticket of router.tickets()) this.#scheduler.cancel(now, ticket);
  }

  ready(link: Link, ready: Ready, announced: RunnerAnnouncement): void {
    this.#runners.set(ready.runner, { link, ready, place: placeOf(announced), busy: undefined });
    this.#addRunner(ready);
  }

  done(runner: string, done: Done): void {
    const now = this.#clock.now();
    const batch = this.#scheduler.batch(runner, done.batchId);
    if (batch === undefined) return;
    if (done.outcome === 'ok') this.#executed(batch, done);
    if (this.#metrics) this.#busy(runner, done);
    this.#spans?.done(batch, done);
    this.#journal?.done(done.batchId, done, now);
    this.#ending = { batch, done, now };
    this.#scheduler.batchDone(now, runner, done.batchId, done);
    this.#ending = undefined;
  }

  retireRunner(runner: string): void {
    this.#scheduler.retireRunner(runner);
  }

  lost(runner: string): void {
    this.#runners.delete(runner);
    this.#metrics?.runnerLost(runner);
    this.#spans?.lost(runner);
    this.#scheduler.runnerLost(this.#clock.now(), runner);
  }

  dispatch(batch: Batch<OfferTag>): void {
    const { id, queue, runner, members, dispatchedAt } = batch;
    const meters = this.#metrics && this.#statistics.get(queue.key)?.meters;
    const routers: string[] = [];
    const rows: number[] = [];
    let traced = false;
    for (const { tag } of members) {
      routers.push(tag.router.id);
      rows.push(tag.rows);
      if (tag.trace !== undefined) traced = true;
    }
    const trace = traced ? this.#spans?.dispatched(batch) : undefined;
    const link = this.#runners.get(runner.id)?.link;
    if (trace) link?.send({ kind: 'batch', batchId: id, routers, rows, ...trace });
    else link?.send({ kind: 'batch', batchId: id, routers, rows });
    for (let member = 0; member < members.length; member += 1) {
      const ticket = members[member] as Ticket<OfferTag>;
      const { router, offerId, why } = ticket.tag;
      if (why)
        router.link.send({
          kind: 'send',
          offerId,
          batchId: id,
          member,
          runner: runner.id,
          facts: factsOf(ticket, batch),
        });
      else router.link.send({ kind: 'send', offerId, batchId: id, member, runner: runner.id });
    }
    this.#journal?.dispatched(batch);
    if (meters) for (const { deadline } of members) meters.dispatched(deadline - dispatchedAt);
  }

  settle(ticket: Ticket<OfferTag>, settlement: Settlement, rejection: Rejection | undefined): void {
    const { router, offerId } = ticket.tag;
    router.forget(offerId);
    if (ticket.tag.trace !== undefined) this.#spans?.settled(ticket, settlement, rejection);
    if (settlement === 'answered') this.#answered(ticket);
    if (rejection === undefined) return;
    router.reject(offerId, rejection.code, rejection.message, rejection.origin, rejection.retryMs);
    const now = this.#clock.now();
    this.#journal?.rejected(ticket, rejection, now);
    const totalNs = nanoseconds(now - ticket.acceptedAt);
    this.#statistics.get(ticket.queue.key)?.rejected(rejection.reason, totalNs);
  }

  wakeAt(time: number): void {
    this.#timer.set(time);
  }

  queueDrained(key: string): void {
    const record = this.#statistics.get(key);
    if (record) this.#metrics?.closed(record.version);
    this.#statistics.delete(key);
    for (const resolve of this.#drained.get(key) ?? []) resolve();
    this.#drained.delete(key);
    this.#onDrained(key);
  }

  #addRunner({ runner, queue, credits }: Ready): void {
    this.#scheduler.addRunner(this.#clock.now(), runner, queue, credits, this.#runners.get(runner)?.place);
  }

  #executed(batch: Batch<OfferTag>, done: Done): void {
    let rows = batch.rows;
    for (const member of done.absent) rows -= batch.members[member]?.rows ?? 0;
    if (rows <= 0) return;
    const requests = batch.members.length - done.absent.length;
    this.#statistics.get(batch.queue.key)?.executed(rows, requests, done, this.#clock.epochMs());
  }

  #busy(runner: string, done: Done): void {
    const known = this.#runners.get(runner);
    if (known === undefined) return;
    if (known.busy === undefined) {
      const version = this.#statistics.get(known.ready.queue)?.version;
      if (version) known.busy = this.#metrics?.runnerReady(runner, version.model, String(version.version));
    }
    known.busy?.add((done.computeInputNs + done.computeInferNs + done.computeOutputNs) / 1e9);
  }

  *#openQueues(): Iterable<OpenQueue> {
    for (const [key, { version }] of this.#statistics) {
      const queue = this.#scheduler.queue(key);
      if (queue) yield { version, queue };
    }
  }

  #answered(ticket: Ticket<OfferTag>): void {
    const ending = this.#ending;
    if (ending === undefined) return;
    const { batch, done, now } = ending;
    const queueNs = nanoseconds(batch.dispatchedAt - ticket.acceptedAt) + done.waitNs;
    const totalNs = nanoseconds(now - ticket.acceptedAt);
    this.#statistics.get(ticket.queue.key)?.succeeded(ticket.rows, totalNs, queueNs, done, ticket.tag.trace?.context);
  }
}

function factsOf(ticket: Ticket<OfferTag>, { members, rows, reason, dispatchedAt }: Batch<OfferTag>): BatchFacts {
  const queueUs = Math.max(0, Math.round((dispatchedAt - ticket.acceptedAt) * 1000));
  return { requests: members.length, rows, reason, queueUs };
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
