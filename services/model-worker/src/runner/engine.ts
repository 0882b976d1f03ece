import { type CancelTimer, toShoalError } from '@shoal/core';
import {
  type Batch,
  type Data,
  type Done,
  FilePart,
  type Link,
  type LinkMessage,
  type MemberError,
  releaseMessage,
} from '@shoal/link';
import type { ModelSignature } from '@shoal/protocol';
import { settle } from './back-pressure';
import { BatchMemory } from './batch-memory';
import { BatchBook, type BookAction, type GatheredBatch } from './batch-book';
import { type Job, doneOf, jobOf, nanoseconds, prepareJob, refusedBatch } from './job';
import type { BuildResponse } from './response';
import { type RunError, runError } from './run-error';
import { RunWatch, type RunWatchOptions } from './run-watch';
import { scatterOutputs } from './scatter';
import { type RunResult, type ThreadTensor, buffersOf } from './thread-messages';
import type { RunSpans } from './tracing/run-spans';

/** Bytes that came before their batch: enough for two large batches, little enough to be harmless. */
const earlyBytes = 256 * 2 ** 20;
const earlyMembers = 4096;
const earlyTimeoutMs = 5000;
/** For so long a batch waits for small members: a router that stands still may not hold up what others sent. */
const lateMs = 1000;

/**
 * One batch runs, others are gathered. More than two only pay where runs are short (batching sees to that): what a turn of the
 * event loop brings, and what it answers, then travels in one system call.
 */
const credits = 32;

/** For so long runs follow each other on the main thread, in milliseconds, before what has arrived meanwhile is heard. */
const burstMs = 0.5;

export interface EngineOptions extends RunWatchOptions {
  /** This runner's id. */
  readonly id: string;
  readonly queue: string;
  readonly signature: ModelSignature;
  /** Indexes of the configured inputs that the session takes. */
  readonly fed: ReadonlySet<number>;
  readonly gatherTimeoutMs: number;
  /** Absolute path of the model's folder, which no message may show. */
  readonly modelFolder: string;
  readonly buildResponse: BuildResponse;
  /**
   * Runs the session; one run at a time. Gives back the result of a run on this thread; else calls `ended` with it
   * later, and the feeds' buffers are given away.
   */
  readonly run: (
    feeds: readonly ThreadTensor[],
    fetches: readonly string[],
    ended: (result: RunResult) => void,
  ) => RunResult | undefined;
  /** Undefined: nothing is recorded. */
  readonly spans?: RunSpans | undefined;
}

/**
 * A runner's main thread: takes grants and bytes from its links, keeps the session's thread busy (the next batch is
 * gathered while one runs), cuts results into answers. It only ever does what batching granted.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #book: BatchBook<Link>;
  readonly #watch: RunWatch;
  readonly #memory = new BatchMemory();
  readonly #spans: RunSpans | undefined;
  /** By a name of each link's own: what was granted over one that has closed is unknown to those after it. */
  readonly #batching = new Map<string, Link>();
  readonly #routers = new Map<string, Link>();
  #prepared: Job | undefined;
  #running: Job | undefined;
  /** When a turn's runs on this thread have held it for long enough; Infinity = none has been made in this turn. */
  #burstUntil = Infinity;
  /** They have: others have their turn before the next. */
  #resting = false;
  #tickAt = Infinity;
  #cancelTick: CancelTimer = () => undefined;
  #retired = false;
  #unsettled = 0;
  #linksOpened = 0;
  #idle: (() => void) | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#spans = options.spans;
    this.#watch = new RunWatch(options);
    const { gatherTimeoutMs } = options;
    this.#book = new BatchBook({ gatherTimeoutMs, lateMs, earlyTimeoutMs, earlyBytes, earlyMembers });
  }

  /** Takes a link that was opened to this runner. */
  accept(link: Link): void {
    const { role, id } = link.peer;
    const peers = role === 'batching' ? this.#batching : this.#routers;
    const name = role === 'batching' ? `${id}/${(this.#linksOpened += 1)}` : id;
    peers.set(name, link);
    if (role === 'router') this.#book.routerJoined(id);
    link.onMessage((message) => this.#receive(link, name, message));
    link.onClose(() => {
      if (peers.get(name) !== link) return;
      peers.delete(name);
      if (role === 'router') this.#act(this.#book.routerLost(id));
      this.#pump();
    });
    if (role === 'batching' && !this.#retired) {
      link.send({ kind: 'ready', runner: this.#options.id, queue: this.#options.queue, credits });
    }
  }

  /** Asks batching for nothing more. */
  retire(): void {
    this.#retired = true;
    for (const link of this.#batching.values()) link.send({ kind: 'retire' });
  }

  /** Takes no more grants; resolves when what was granted is finished. */
  async stop(): Promise<void> {
    if (!this.#retired) this.retire();
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      this.#checkIdle();
    });
    this.#cancelTick();
  }

  #receive(link: Link, name: string, message: LinkMessage): void {
    const now = this.#options.clock.now();
    if (message.kind === 'batch' && link.peer.role === 'batching') this.#grant(link, name, message, now);
    else if (message.kind === 'data') this.#take(link, message, now);
    else if (message.kind === 'withdraw') {
      this.#act(this.#book.withdrawn(link.peer.id, message.batchId, message.member, now));
    }
    this.#pump();
  }

  /** Bytes came; those in clients' memory that cannot be reached from here are to be sent another way. */
  #take(link: Link, data: Data, now: number): void {
    if (data.trace !== undefined) this.#spans?.arrived(data);
    if (openFiles(data)) this.#act(this.#book.data(link.peer.id, { data, link }, now));
    else {
      releaseMessage(data);
      this.#act(this.#book.withdrawn(link.peer.id, data.batchId, data.member, now));
      link.send({ kind: 'refused', offerId: data.offerId });
    }
  }

  #grant(link: Link, name: string, message: Batch, now: number): void {
    const { batchId, routers, rows } = message;
    const actions = this.#idle ? undefined : this.#book.granted(batchId, name, routers, rows, now);
    if (actions && message.trace !== undefined) this.#spans?.granted(message);
    if (actions) this.#act(actions);
    else link.send(refusedBatch(batchId));
  }

  #act(actions: readonly BookAction<Link>[]): void {
    for (const action of actions) {
      if (action.kind !== 'abandoned') releaseMessage(action.arrival.data);
      if (action.kind === 'refuse') {
        action.arrival.link.send({ kind: 'refused', offerId: action.arrival.data.offerId });
      } else if (action.kind === 'abandoned' && this.#running?.batchId === action.batchId) this.#watch.abandoned();
    }
  }

  /** Does whatever can be done now. */
  #pump(): void {
    while (!this.#resting) {
      while (!this.#prepared) {
        const batch = this.#book.take();
        if (!batch) break;
        this.#prepared = this.#prepare(batch);
      }
      if (!this.#prepared || this.#running) break;
      const job = this.#prepared;
      this.#prepared = undefined;
      if (this.#wanted(job)) this.#start(job);
      else this.#skip(job);
    }
    this.#scheduleTick();
  }

  #prepare(batch: GatheredBatch<Link>): Job | undefined {
    const { signature, fed, clock } = this.#options;
    this.#spans?.gathering(batch);
    try {
      return prepareJob(batch, signature, fed, clock, this.#memory);
    } catch (thrown) {
      this.#fail(jobOf(batch), faultOf(thrown), 0);
      return undefined;
    } finally {
      for (const { arrival } of batch.present) releaseMessage(arrival.data);
    }
  }

  #wanted(job: Job): boolean {
    return job.members.some(({ member }) => this.#book.isPresent(job.batchId, member));
  }

  /** Everybody left, or was at fault, before the run began. */
  #skip(job: Job): void {
    for (const buffer of buffersOf(job.feeds)) this.#memory.give(buffer);
    const absent = [...job.absent, ...job.members.map(({ member }) => member)];
    this.#finish(job, { outcome: 'ok', absent });
  }

  #start(job: Job): void {
    this.#running = job;
    job.startedAt = this.#options.clock.now();
    const result = this.#options.run(job.feeds, job.fetches, (later) => this.#ended(job, later));
    if (result) this.#endedInline(job, result);
    else this.#watch.started();
  }

  /** Short runs follow each other; then their answers leave, and what has arrived meanwhile is heard. */
  #endedInline(job: Job, result: RunResult): void {
    this.#running = undefined;
    this.#spans?.ran(job, true);
    this.#conclude(job, result);
    if (this.#burstUntil === Infinity) {
      this.#burstUntil = job.startedAt + burstMs;
      setImmediate(() => {
        this.#burstUntil = Infinity;
        if (!this.#resting) return;
        this.#resting = false;
        this.#pump();
      });
    }
    this.#resting = this.#options.clock.now() >= this.#burstUntil;
  }

  #ended(job: Job, result: RunResult): void {
    this.#watch.ended();
    this.#running = undefined;
    this.#spans?.ran(job, false);
    // First the next run, then the answers of this one: the session's thread must not wait.
    this.#unsettled += 1;
    this.#pump();
    this.#unsettled -= 1;
    this.#conclude(job, result);
  }

  #conclude(job: Job, result: RunResult): void {
    for (const buffer of result.spent) this.#memory.give(buffer);
    if (result.kind === 'ran') this.#answer(job, result);
    else {
      const { modelFolder, signature } = this.#options;
      this.#fail(job, runError(result.reason, result.exhausted, modelFolder, signature.model), result.inferMs);
    }
  }

  #answer(job: Job, result: Extract<RunResult, { kind: 'ran' }>): void {
    const { clock, signature, buildResponse } = this.#options;
    const began = clock.now();
    let parts: ReturnType<typeof scatterOutputs>;
    try {
      const rows = job.members.map((one) => one.rows);
      parts = scatterOutputs(signature, result.outputs, rows, job.dims);
    } catch (thrown) {
      this.#fail(job, faultOf(thrown), result.inferMs);
      return;
    }
    const memberErrors: MemberError[] = [];
    const usPerRow =
      (result.inferMs * 1000) /
      Math.max(
        1,
        job.members.reduce((rows, one) => rows + one.rows, 0),
      );
    job.members.forEach((one, i) => {
      if (!this.#book.isPresent(job.batchId, one.member)) return;
      try {
        const response = buildResponse(one.requestId, parts[i] ?? [], one.outputs);
        one.link.send({ kind: 'answer', offerId: one.offerId, response, computeUs: Math.round(usPerRow * one.rows) });
      } catch (thrown) {
        memberErrors.push({ member: one.member, ...faultOf(thrown) });
      }
    });
    const computeOutputNs = nanoseconds(clock.now() - began);
    this.#finish(job, { outcome: 'ok', memberErrors, computeInferNs: nanoseconds(result.inferMs), computeOutputNs });
  }

  #fail(job: Job, error: RunError, inferMs: number): void {
    this.#finish(job, { outcome: 'failed', ...error, computeInferNs: nanoseconds(inferMs) });
  }

  #finish(job: Job, said: Partial<Done>): void {
    this.#spans?.finished(job, said);
    const done = doneOf(job, said);
    this.#unsettled += 1;
    settle(this.#options.clock, linksOf(job), () => {
      this.#unsettled -= 1;
      this.#book.finish(job.batchId);
      const batching = this.#batching.get(job.origin);
      if (batching) batching.send(done);
      else this.#disown(job, done);
      this.#checkIdle();
    });
  }

  /** Nobody is left who could tell the routers what failed, or bisect it: they offer it again. */
  #disown(job: Job, { outcome, memberErrors }: Done): void {
    const failed = new Set(memberErrors.map(({ member }) => member));
    for (const { link, member, offerId } of job.present) {
      if (outcome === 'failed' || failed.has(member)) link.send({ kind: 'refused', offerId });
    }
  }

  #checkIdle(): void {
    if (this.#idle && this.#book.held === 0 && this.#unsettled === 0 && !this.#running) this.#idle();
  }

  /** The timer in place is left alone unless it would be late: most batches are over long before they are due. */
  #scheduleTick(): void {
    const next = this.#book.nextTick() ?? Infinity;
    if (next >= this.#tickAt) return;
    const { clock } = this.#options;
    this.#cancelTick();
    this.#tickAt = next;
    this.#cancelTick = clock.schedule(next - clock.now(), () => {
      this.#tickAt = Infinity;
      this.#act(this.#book.tick(clock.now()));
      this.#pump();
    });
  }
}

/** The links that members came over, most of which follow another one of the same. */
function linksOf({ members }: Job): Link[] {
  const links: Link[] = [];
  for (const { link } of members) if (link !== links.at(-1)) links.push(link);
  return links;
}

/** Opens the files that inputs lie in, while the router is sure to have them open. */
function openFiles({ inputs }: Data): boolean {
  return inputs.every(({ bytes }) => !(bytes instanceof FilePart) || bytes.open('read'));
}

/** What is told of something that was thrown while tensors were gathered or answers built. */
function faultOf(thrown: unknown): RunError {
  if (thrown instanceof RangeError) {
    return { code: 'RESOURCE_EXHAUSTED', message: 'the tensors are larger than this server can hold' };
  }
  const { code, message } = toShoalError(thrown);
  return { code, message };
}
