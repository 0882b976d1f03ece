import type { Clock } from '@shoal/core';
import type { Done, Link, MemberError, WantedOutput } from '@shoal/link';
import type { ModelSignature } from '@shoal/protocol';
import type { GatheredBatch } from './batch-book';
import type { BatchMemory } from './batch-memory';
import { type InputDims, gatherFeeds } from './gather';
import type { ThreadTensor } from './thread-messages';

/** A member of a job: where its answer goes, and what was asked for. */
export interface JobMember {
  readonly member: number;
  readonly rows: number;
  readonly link: Link;
  readonly offerId: number;
  readonly requestId: string;
  readonly outputs: readonly WantedOutput[];
}

/** A batch that is ready to run. */
export interface Job {
  readonly batchId: number;
  /** The link to batching that granted it, see Engine. */
  readonly origin: string;
  readonly arrivedAt: number;
  /** Those in `feeds`. */
  readonly members: readonly JobMember[];
  /** Those and the ones at fault. */
  readonly present: readonly JobMember[];
  readonly absent: readonly number[];
  readonly faults: readonly MemberError[];
  readonly feeds: readonly ThreadTensor[];
  /** Shapes of the members' inputs, where they differ; else none. */
  readonly dims: readonly InputDims[];
  /** Outputs to compute. */
  readonly fetches: readonly string[];
  readonly gatherMs: number;
  /** Clock time; 0 = not yet. */
  startedAt: number;
}

/** The job that a batch makes before anything is gathered. */
export function jobOf({ batchId, origin, arrivedAt, absent, present }: GatheredBatch<Link>): Job {
  const members = present.map(jobMember);
  const nothingYet = { faults: [], feeds: [], dims: [], fetches: [], gatherMs: 0, startedAt: 0 };
  return { batchId, origin, arrivedAt, absent, members, present: members, ...nothingYet };
}

function jobMember({ member, rows, arrival }: GatheredBatch<Link>['present'][number]): JobMember {
  const { offerId, requestId, outputs } = arrival.data;
  return { member, rows, link: arrival.link, offerId, requestId, outputs };
}

/** Gathers a batch. The members' own bytes are copied, and let go of. Throws RangeError when there is no memory for it. */
export function prepareJob(
  batch: GatheredBatch<Link>,
  signature: ModelSignature,
  fed: ReadonlySet<number>,
  clock: Clock,
  memory: BatchMemory,
): Job {
  const began = clock.now();
  const inputs = batch.present.map(({ member, rows, arrival }) => ({ member, rows, inputs: arrival.data.inputs }));
  const { feeds, members: taken, dims, faults } = gatherFeeds(signature, fed, inputs, memory);
  const { batchId, origin, arrivedAt, absent } = batch;
  const present = batch.present.map(jobMember);
  const members = faults.length === 0 ? present : present.filter(({ member }) => taken.includes(member));
  const fetches = namesOfWanted(signature, members);
  const gatherMs = clock.now() - began;
  return { batchId, origin, arrivedAt, absent, members, present, faults, feeds, dims, fetches, gatherMs, startedAt: 0 };
}

/** The outputs that any member asked for, in the model's order. */
function namesOfWanted(signature: ModelSignature, members: readonly JobMember[]): readonly string[] {
  const { outputs } = signature;
  if (members.some((one) => one.outputs.length === 0)) return allNames(signature);
  const wanted = new Set(members.flatMap((one) => one.outputs.map(({ index }) => index)));
  return outputs.filter((_, index) => wanted.has(index)).map(({ name }) => name);
}

const namesOfAll = new WeakMap<ModelSignature, readonly string[]>();

/** Always the same array: what is made of it once need not be made again. */
function allNames(signature: ModelSignature): readonly string[] {
  let names = namesOfAll.get(signature);
  if (!names) namesOfAll.set(signature, (names = signature.outputs.map(({ name }) => name)));
  return names;
}

/** A batch's end of which nothing is known but its id. */
export function refusedBatch(batchId: number): Done {
  return { ...nothingDone, batchId, outcome: 'refused' };
}

/** A job's end: what the job itself knows, and what is `said` of it. */
export function doneOf(job: Job, said: Partial<Done>): Done {
  const { batchId, absent, arrivedAt, gatherMs, startedAt } = job;
  const waitNs = startedAt === 0 ? 0 : nanoseconds(Math.max(0, startedAt - arrivedAt - gatherMs));
  const memberErrors = [...job.faults, ...(said.memberErrors ?? [])];
  return { ...nothingDone, absent, waitNs, computeInputNs: nanoseconds(gatherMs), ...said, batchId, memberErrors };
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

/** Milliseconds as whole nanoseconds. */
export function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
