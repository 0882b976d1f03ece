import { type CancelTimer, type Clock, ShoalError } from '@shoal/core';
import type { Batch, Done, Link, LinkMessage, MemberError, WantedOutput } from '@shoal/link';
import type { ModelSignature } from '@shoal/protocol';
import { settle } from './back-pressure';
import { BatchBook, type BookAction, type GatheredBatch } from './batch-book';
import { gatherFeeds } from './gather';
import type { BuildResponse } from './response';
import { runError } from './run-error';
import { scatterOutputs } from './scatter';
import type { RunResult } from './session-host';
import type { ThreadTensor } from './thread-messages';

/** Bytes that came before their batch: enough for two large batches, little enough to be harmless. */
const earlyBytes = 256 * 2 ** 20;
const earlyMembers = 4096;
const earlyTimeoutMs = 5000;

/** One batch runs, the next one is gathered. */
const credits = 2;

export interface EngineOptions {
  /** This runner's id. */
  readonly id: string;
  readonly queue: string;
  readonly signature: ModelSignature;
  /** Indexes of the configured inputs that the session takes. */
  readonly fed: ReadonlySet<number>;
  readonly ordered: boolean;
  readonly gatherTimeoutMs: number;
  /** 0 = no limit. */
  readonly runTimeoutMs: number;
  readonly abandonedGraceMs: number;
  readonly clock: Clock;
  /** Absolute path of the model's folder, which no message may show. */
  readonly modelFolder: string;
  readonly buildResponse: BuildResponse;
  /** Runs the session; one run at a time. The feeds' buffers are given away. */
  readonly run: (feeds: readonly ThreadTensor[], fetches: readonly string[]) => Promise<RunResult>;
  /** A run will not end by itself. */
  readonly onHung: (reason: string) => void;
}

interface JobMember {
  readonly member: number;
  readonly rows: number;
  readonly link: Link;
  readonly offerId: number;
  readonly requestId: string;
  readonly outputs: readonly WantedOutput[];
}

interface Job {
  readonly batch: GatheredBatch<Link>;
  readonly members: readonly JobMember[];
  readonly feeds: readonly ThreadTensor[];
  readonly fetches: readonly string[];
  readonly faults: readonly MemberError[];
  readonly gatherMs: number;
  startedAt: number;
}

/**
 * A runner's main thread: takes grants and bytes from its links, keeps the session's thread busy (the next batch is
 * gathered while one runs), cuts results into answers. It only ever does what batching granted.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #book: BatchBook<Link>;
  readonly #batching = new Map<string, Link>();
  readonly #routers = new Map<string, Link>();
  #prepared: Job | undefined;
  #running: Job | undefined;
  #cancelTick: CancelTimer = () => undefined;
  #cancelWatch: CancelTimer = () => undefined;
  #cancelAbandoned: CancelTimer = () => undefined;
  #retired = false;
  #unsettled = 0;
  #idle: (() => void) | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { gatherTimeoutMs, ordered } = options;
    this.#book = new BatchBook({ gatherTimeoutMs, earlyTimeoutMs, earlyBytes, earlyMembers, ordered });
  }

  /** Takes a link that was opened to this runner. */
  accept(link: Link): void {
    const { role, id } = link.peer;
    const peers = role === 'batching' ? this.#batching : this.#routers;
    peers.set(id, link);
    link.onMessage((message) => this.#receive(link, message));
    link.onClose(() => {
      if (peers.get(id) !== link) return;
      peers.delete(id);
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

  #receive(link: Link, message: LinkMessage): void {
    const now = this.#options.clock.now();
    if (message.kind === 'batch' && link.peer.role === 'batching') this.#grant(link, message, now);
    else if (message.kind === 'data') this.#act(this.#book.data(link.peer.id, { data: message, link }, now));
    else if (message.kind === 'withdraw') {
      this.#act(this.#book.withdrawn(link.peer.id, message.batchId, message.member, now));
    }
    this.#pump();
  }

  #grant(link: Link, message: Batch, now: number): void {
    const { batchId, routers, rows } = message;
    const actions = this.#idle ? undefined : this.#book.granted(batchId, link.peer.id, routers, rows, now);
    if (actions) this.#act(actions);
    else link.send({ ...nothingDone, batchId, outcome: 'refused' });
  }

  #act(actions: readonly BookAction<Link>[]): void {
    for (const action of actions) {
      if (action.kind === 'refuse') action.link.send({ kind: 'refused', offerId: action.offerId });
      else if (this.#running?.batch.batchId === action.batchId) this.#watchAbandoned();
    }
  }

  /** Does whatever can be done now. */
  #pump(): void {
    if (!this.#prepared) {
      const batch = this.#book.take();
      if (batch) this.#prepared = this.#prepare(batch);
    }
    if (this.#prepared && !this.#running) {
      const job = this.#prepared;
      this.#prepared = undefined;
      if (this.#wanted(job)) this.#start(job);
      else this.#skip(job);
      this.#pump();
      return;
    }
    this.#scheduleTick();
  }

  #prepare(batch: GatheredBatch<Link>): Job {
    const { clock, signature, fed } = this.#options;
    const began = clock.now();
    const byMember = new Map(batch.present.map((one) => [one.member, one]));
    const inputs = batch.present.map(({ member, rows, arrival }) => ({ member, rows, inputs: arrival.data.inputs }));
    const { feeds, members, faults } = gatherFeeds(signature, fed, inputs);
    const jobMembers = members.map((member): JobMember => {
      const { rows, arrival } = byMember.get(member) as GatheredBatch<Link>['present'][number];
      const { offerId, requestId, outputs } = arrival.data;
      return { member, rows, link: arrival.link, offerId, requestId, outputs };
    });
    const fetches = namesOfWanted(signature, jobMembers);
    // The members' own bytes are in the feeds now: let go of them.
    const light = { ...batch, present: [] };
    return { batch: light, members: jobMembers, feeds, fetches, faults, gatherMs: clock.now() - began, startedAt: 0 };
  }

  #wanted(job: Job): boolean {
    return job.members.some(({ member }) => this.#book.isPresent(job.batch.batchId, member));
  }

  /** Everybody left, or was at fault, before the run began. */
  #skip(job: Job): void {
    const absent = [...job.batch.absent, ...job.members.map(({ member }) => member)];
    this.#finish(job, { outcome: 'ok', absent });
  }

  #start(job: Job): void {
    const { clock, runTimeoutMs, onHung } = this.#options;
    this.#running = job;
    job.startedAt = clock.now();
    if (runTimeoutMs > 0) {
      this.#cancelWatch = clock.schedule(runTimeoutMs, () => onHung(`a run took more than ${runTimeoutMs / 1000} s`));
    }
    void this.#options.run(job.feeds, job.fetches).then((result) => this.#ended(job, result));
  }

  #watchAbandoned(): void {
    const { clock, abandonedGraceMs, onHung } = this.#options;
    this.#cancelAbandoned();
    this.#cancelAbandoned = clock.schedule(abandonedGraceMs, () =>
      onHung(`a run went on for ${abandonedGraceMs / 1000} s after everybody had left`),
    );
  }

  #ended(job: Job, result: RunResult): void {
    this.#cancelWatch();
    this.#cancelAbandoned();
    this.#running = undefined;
    // First the next run, then the answers of this one: the session's thread must not wait.
    this.#unsettled += 1;
    this.#pump();
    this.#unsettled -= 1;
    if (result.kind === 'ran') this.#answer(job, result);
    else this.#fail(job, runError(result.reason, result.exhausted, this.#options.modelFolder), result.inferMs);
  }

  #answer(job: Job, result: Extract<RunResult, { kind: 'ran' }>): void {
    const { clock, signature, buildResponse } = this.#options;
    const began = clock.now();
    const memberErrors: MemberError[] = [];
    try {
      const rows = job.members.map((one) => one.rows);
      const parts = scatterOutputs(signature, result.outputs, rows);
      job.members.forEach((one, i) => {
        if (!this.#book.isPresent(job.batch.batchId, one.member)) return;
        try {
          const response = buildResponse(one.requestId, parts[i] ?? [], one.outputs);
          one.link.send({ kind: 'answer', offerId: one.offerId, response });
        } catch (thrown) {
          if (!(thrown instanceof ShoalError) && !(thrown instanceof RangeError)) throw thrown;
          const code = thrown instanceof ShoalError ? thrown.code : 'RESOURCE_EXHAUSTED';
          memberErrors.push({ member: one.member, code, message: thrown.message });
        }
      });
    } catch (thrown) {
      const { code, message } = thrown instanceof ShoalError ? thrown : outputFault(thrown);
      this.#fail(job, { code, message }, result.inferMs);
      return;
    }
    const computeOutputNs = ns(clock.now() - began);
    this.#finish(job, { outcome: 'ok', memberErrors, computeInferNs: ns(result.inferMs), computeOutputNs });
  }

  #fail(job: Job, error: { code: Done['code']; message: string }, inferMs: number): void {
    if (!this.#batching.has(job.batch.origin)) {
      // Whoever granted this is gone and cannot bisect: the routers offer again.
      for (const { link, offerId } of job.members) link.send({ kind: 'refused', offerId });
    }
    this.#finish(job, { outcome: 'failed', ...error, computeInferNs: ns(inferMs) });
  }

  #finish(job: Job, said: Partial<Done>): void {
    const { batch } = job;
    const waitNs = job.startedAt === 0 ? 0 : ns(Math.max(0, job.startedAt - batch.arrivedAt - job.gatherMs));
    const memberErrors = [...job.faults, ...(said.memberErrors ?? [])];
    const computeInputNs = ns(job.gatherMs);
    const absent = batch.absent;
    const done: Done = {
      ...nothingDone,
      absent,
      waitNs,
      computeInputNs,
      ...said,
      batchId: batch.batchId,
      memberErrors,
    };
    this.#unsettled += 1;
    const links = new Set(job.members.map(({ link }) => link));
    settle(this.#options.clock, links, () => {
      this.#unsettled -= 1;
      this.#book.finish(batch.batchId);
      this.#batching.get(batch.origin)?.send(done);
      this.#checkIdle();
    });
  }

  #checkIdle(): void {
    if (this.#idle && this.#book.held === 0 && this.#unsettled === 0 && !this.#running) this.#idle();
  }

  #scheduleTick(): void {
    this.#cancelTick();
    const next = this.#book.nextTick();
    if (next === undefined) return;
    const { clock } = this.#options;
    this.#cancelTick = clock.schedule(next - clock.now(), () => {
      this.#act(this.#book.tick(clock.now()));
      this.#pump();
    });
  }
}

const nothingDone: Done = {
  kind: 'done',
  batchId: 0,
  outcome: 'ok',
  code: 'UNKNOWN',
  message: '',
  memberErrors: [],
  absent: [],
  waitNs: 0,
  computeInputNs: 0,
  computeInferNs: 0,
  computeOutputNs: 0,
};

function ns(ms: number): number {
  return Math.round(ms * 1e6);
}

function outputFault(thrown: unknown): { code: Done['code']; message: string } {
  const memory = thrown instanceof RangeError;
  return {
    code: memory ? 'RESOURCE_EXHAUSTED' : 'INTERNAL',
    message: memory ? 'the outputs are larger than this server can hold' : 'the outputs could not be read',
  };
}

/** The outputs that any member asked for, in the model's order. */
function namesOfWanted(signature: ModelSignature, members: readonly JobMember[]): string[] {
  const all = members.some(({ outputs }) => outputs.length === 0);
  const wanted = new Set(members.flatMap(({ outputs }) => outputs.map(({ index }) => index)));
  return signature.outputs.filter((_, index) => all || wanted.has(index)).map(({ name }) => name);
}
