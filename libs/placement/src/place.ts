import type { Replicas } from '@shoal/bus';
import { rendezvousWeight } from '@shoal/core';

/** A worker as placement sees it. */
export interface PlaceWorker {
  readonly id: string;
  readonly memoryBytes: number;
  readonly gpus: number;
  /** It ends: nothing is placed on it any more. */
  readonly leaving: boolean;
}

/** A worker that could serve a model, or why it cannot. */
export interface Candidate {
  readonly worker: string;
  readonly memoryBytes: number;
  readonly gpu: boolean;
  readonly refusal?: Refusal;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** A model that is to be served. */
export interface PlaceModel {
  readonly model: string;
  /** Epoch ms; the older have the first choice. */
  readonly since: number;
  readonly replicas: Replicas;
  readonly candidates: readonly Candidate[];
}

/** Where a model is served. */
export interface Placed {
  /** Ids, in the order of their preference. */
  readonly chosen: readonly string[];
  /** Why there are fewer than wanted; undefined when there are as many. */
  readonly short?: Refusal;
}

/**
 * Which workers serve which model. A pure function of what is announced, so that everybody comes to the same result.
 * Each model takes those that are drawn to it most (rendezvous hashing) and have its device and the memory left: where there is room,
 * a worker that comes or goes moves only what it gains or loses. Models choose in the order of their age, so that a new one
 * never displaces another. Where no worker has a GPU, a model that wants one goes to any: its load says what then holds.
 */
export function place(workers: readonly PlaceWorker[], models: readonly PlaceModel[]): Map<string, Placed> {
  const byId = new Map(workers.map((worker) => [worker.id, worker]));
  const left = new Map(workers.map(({ id, memoryBytes }) => [id, memoryBytes]));
  const haveGpus = workers.some(({ gpus, leaving }) => gpus > 0 && !leaving);
  const ordered = models.toSorted((a, b) => a.since - b.since || (a.model < b.model ? -1 : 1));
  const placed = new Map<string, Placed>();
  for (const model of ordered) {
    const refusals: Refusal[] = [];
    const fit: { id: string; weight: number; memoryBytes: number }[] = [];
    for (const { worker: id, memoryBytes, gpu, refusal } of sorted(model.candidates)) {
      const worker = byId.get(id);
      if (worker === undefined) continue;
      const no = refusal ?? unfit(worker, gpu && haveGpus, memoryBytes, left.get(id) ?? 0);
      if (no) refusals.push(no);
      else fit.push({ id, memoryBytes, weight: rendezvousWeight(model.model, id) });
    }
    fit.sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
    const taken = model.replicas === 'all' ? fit : fit.slice(0, model.replicas);
    for (const { id, memoryBytes } of taken) left.set(id, (left.get(id) ?? 0) - memoryBytes);
    const short = shortage(model, taken.length, refusals);
    placed.set(model.model, { chosen: taken.map(({ id }) => id), ...(short && { short }) });
  }
  return placed;
}

function sorted(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => (a.worker < b.worker ? -1 : 1));
}

function unfit(worker: PlaceWorker, gpu: boolean, bytes: number, left: number): Refusal | undefined {
  if (worker.leaving) return { code: 'UNAVAILABLE', message: 'the server is shutting down' };
  if (gpu && worker.gpus === 0) return { code: 'FAILED_PRECONDITION', message: `${worker.id} has no GPU` };
  if (bytes <= left) return undefined;
  const message = `${worker.id} has ${megabytes(left)} of ${megabytes(worker.memoryBytes)} MB left, and it takes about ${megabytes(bytes)}`;
  return { code: 'RESOURCE_EXHAUSTED', message };
}

/** With nobody at all to serve it one refusal is passed on as it is: it is in Triton's words. */
function shortage({ model, replicas }: PlaceModel, taken: number, refusals: readonly Refusal[]): Refusal | undefined {
  if (taken >= (replicas === 'all' ? 1 : replicas)) return undefined;
  const [first] = refusals;
  if (taken === 0 && first === undefined) return { code: 'UNAVAILABLE', message: 'no model-worker is there' };
  const isWorkerWide = first?.code === 'RESOURCE_EXHAUSTED' || first?.code === 'FAILED_PRECONDITION';
  if (taken === 0 && first && !isWorkerWide) return first;
  const reasons = [...new Set(refusals.map(({ message }) => message))].join('; ');
  const wanted = replicas === 'all' ? 'any worker' : `${replicas} worker${replicas === 1 ? '' : 's'}`;
  const message = `'${model}' cannot be placed on ${wanted}: ${taken} can take it${reasons === '' ? ', no more are there' : `; ${reasons}`}`;
  return { code: first?.code ?? 'FAILED_PRECONDITION', message };
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
