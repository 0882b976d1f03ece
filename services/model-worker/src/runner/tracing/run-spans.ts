import type { Clock } from '@shoal/core';
import { type Batch, type Data, type Done, FilePart, type Link, byteLengthOf } from '@shoal/link';
import { type Span, type SpanContext, type Tracer, contextFromWire } from '@shoal/telemetry';
import type { GatheredBatch } from '../batch-book';
import type { Job } from '../job';

export interface RunSpansOptions {
  readonly clock: Clock;
  readonly tracer: Tracer;
  /** A wall-clock time, in ms with a fraction, on the clock. */
  readonly clockTime: (wallMs: number) => number;
  /** This runner's id. */
  readonly runner: string;
  /** The execution provider, as people call it. */
  readonly device: string;
}

/** A member whose request is recorded. */
interface TracedMember {
  readonly member: number;
  /** The model's span, made by the router. */
  readonly context: SpanContext;
  readonly data: Data;
  /** When its bytes were here. */
  readonly arrivedAt: number;
}

/** A batch that is recorded: times are the clock's. */
interface TracedBatch {
  /** Of the batch's own span, made by batching; undefined: it made none. */
  context: SpanContext | undefined;
  /** By batching; when the grant came, where that is not known. */
  grantedAt: number;
  members: readonly TracedMember[];
  gatheringFrom: number;
  ranUntil: number;
  inline: boolean;
}

/**
 * The spans of a runner, made when a batch is over: its `run`, under the batch's span, and for each member that is recorded a `transfer` and
 * a `compute` under the model's span, with the names of events that Triton's traces have.
 */
export class RunSpans {
  readonly #options: RunSpansOptions;
  readonly #batches = new Map<number, TracedBatch>();
  readonly #arrivals = new WeakMap<Data, number>();

  constructor(options: RunSpansOptions) {
    this.#options = options;
  }

  /** A grant that has a trace was taken. */
  granted({ batchId, trace, grantedMs = 0 }: Batch): void {
    const now = this.#options.clock.now();
    // The other clock may be of another machine, and ahead.
    const grantedAt = grantedMs > 0 ? Math.min(this.#options.clockTime(grantedMs), now) : now;
    this.#batches.set(batchId, { ...untraced, context: contextFromWire(trace), grantedAt });
  }

  /** The bytes of a member that has a trace came. */
  arrived(data: Data): void {
    this.#arrivals.set(data, this.#options.clock.now());
  }

  /** All of a batch's bytes are here. */
  gathering({ batchId, arrivedAt, present }: GatheredBatch<Link>): void {
    let members: TracedMember[] | undefined;
    for (const { member, arrival } of present) {
      const { data } = arrival;
      const context = contextFromWire(data.trace);
      if (!context) continue;
      members ??= [];
      members.push({ member, context, data, arrivedAt: this.#arrivals.get(data) ?? arrivedAt });
    }
    const known = this.#batches.get(batchId);
    if (!known && !members) return;
    const batch = known ?? { ...untraced, grantedAt: arrivedAt };
    batch.members = members ?? [];
    batch.gatheringFrom = this.#options.clock.now();
    this.#batches.set(batchId, batch);
  }

  /** The run is over; its answers have not been made yet. @param inline It was made on the main thread. */
  ran({ batchId }: Job, inline: boolean): void {
    const batch = this.#batches.get(batchId);
    if (!batch) return;
    batch.ranUntil = this.#options.clock.now();
    batch.inline = inline;
  }

  /** Its answers have left, or there are none. */
  finished(job: Job, said: Partial<Done>): void {
    const batch = this.#batches.get(job.batchId);
    if (!batch) return;
    this.#batches.delete(job.batchId);
    const now = this.#options.clock.now();
    const run = this.#run(job, batch, said, now);
    for (const one of batch.members) {
      this.#transfer(one, batch);
      this.#compute(one, job, batch, said, now);
    }
    run?.end(now);
  }

  #run(job: Job, batch: TracedBatch, said: Partial<Done>, now: number): Span | undefined {
    const { tracer, runner, device } = this.#options;
    const run = tracer.start('run', 'internal', batch.context, Math.min(job.arrivedAt, now));
    if (!run) return undefined;
    run.set('shoal.runner', runner);
    run.set('process.pid', process.pid);
    run.set('shoal.device', device);
    run.set('shoal.batch.id', job.batchId);
    run.set('shoal.run.members', job.members.length);
    run.event('INPUT_START', batch.gatheringFrom);
    run.event('INPUT_END', batch.gatheringFrom + job.gatherMs);
    if (job.startedAt > 0) {
      run.set('shoal.run.thread', batch.inline ? 'main' : 'session');
      run.event('INFER_START', job.startedAt);
      run.event('INFER_END', batch.ranUntil);
      run.event('OUTPUT_END', now);
    }
    if (said.outcome === 'failed') run.fail(said.code ?? 'UNKNOWN', said.message ?? '');
    return run;
  }

  /** From the grant until the member's bytes were here. */
  #transfer({ context, data, arrivedAt }: TracedMember, { grantedAt }: TracedBatch): void {
    const transfer = this.#options.tracer.start('transfer', 'internal', context, Math.min(grantedAt, arrivedAt));
    let bytes = 0;
    for (const input of data.inputs) bytes += byteLengthOf(input.bytes);
    transfer.set('shoal.transfer.bytes', bytes);
    transfer.set('shoal.transfer.by', roadOf(data));
    transfer.end(arrivedAt);
  }

  /** From the gathering of the batch's inputs until its answers have left. */
  #compute({ member, context }: TracedMember, job: Job, batch: TracedBatch, said: Partial<Done>, now: number): void {
    const fault = [...job.faults, ...(said.memberErrors ?? [])].find((error) => error.member === member);
    // It left before the run, and none was made.
    if (job.startedAt === 0 && !fault && said.outcome !== 'failed') return;
    const compute = this.#options.tracer.start('compute', 'internal', context, batch.gatheringFrom);
    compute.event('COMPUTE_START', batch.gatheringFrom);
    if (job.startedAt > 0) {
      // It may have waited for the run before.
      compute.event('COMPUTE_INPUT_END', job.startedAt);
      compute.event('COMPUTE_OUTPUT_START', batch.ranUntil);
    }
    compute.event('COMPUTE_END', now);
    compute.set('shoal.batch.id', job.batchId);
    compute.set('shoal.runner', this.#options.runner);
    compute.set('shoal.device', this.#options.device);
    if (batch.context) compute.link(batch.context);
    if (fault) compute.fail(fault.code, fault.message);
    else if (said.outcome === 'failed') compute.fail(said.code ?? 'UNKNOWN', said.message ?? '');
    compute.end(now);
  }
}

const untraced: TracedBatch = {
  context: undefined,
  grantedAt: 0,
  members: [],
  gatheringFrom: 0,
  ranUntil: 0,
  inline: false,
};

/** How its bytes came. */
function roadOf({ inputs }: Data): string {
  if (inputs.some(({ bytes }) => bytes instanceof FilePart)) return 'client_memory';
  const here = inputs.every(({ bytes }) => bytes instanceof Uint8Array || Array.isArray(bytes));
  return here ? 'link' : 'shared_memory';
}
