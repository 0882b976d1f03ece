import type { ModelConfig } from '@shoal/protocol';

/** Names one loading of one version of one model; a reload is a new generation and so a new queue. */
export interface ModelKey {
  readonly model: string;
  readonly version: number;
  /**
   * Of this version. In one process: unique among its loads. In a cluster: a digest of what was loaded, so that workers that
   * loaded the same share one queue.
   */
  readonly generation: string;
}

/** The queue that serves one loading of a model version. */
export function queueKey(key: ModelKey): string {
  return `${key.model}/${key.version}@${key.generation}`;
}

/**
 * `versions/<model>/<version>/<worker>`: what one model-worker says of one model version; `standingVersion` makes one of what
 * several say. A version once loaded stays listed.
 */
export interface VersionAnnouncement extends ModelKey {
  /** Who says so. */
  readonly worker?: string;
  /** Epoch ms at which it became READY there. */
  readonly since?: number;
  readonly state: 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE';
  /** Why it is not READY, in Triton's words ("unloaded", or the load error), or `leavingReason`; '' otherwise. */
  readonly reason: string;
  /** The normalised, auto-completed config; absent until it is known. */
  readonly config?: ModelConfig;
  /** Class labels by output name. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

/** The reason of a version that is unloaded on purpose and has ended: nobody misses it. */
export const unloadedReason = 'unloaded';

/** The reason of a version that is UNLOADING because its worker ends, though nobody asked for the version's end. */
export const leavingReason = 'the model-worker that serves it is ending';

/** `runners/<id>`: a runner that accepts links. */
export interface RunnerAnnouncement extends ModelKey {
  /** The model-worker that keeps it alive. */
  readonly worker?: string;
  readonly id: string;
  readonly address: string;
  /** "CPU", "CUDA 0", …; runners of one worker that say the same share it. */
  readonly device: string;
  /** What its instance group says of resources and turns; absent where it says nothing. */
  readonly limiter?: RunnerLimiter;
}

/** An instance group's `rate_limiter`. */
export interface RunnerLimiter {
  readonly resources: readonly { readonly name: string; readonly count: number; readonly global: boolean }[];
  /** 1 is first. */
  readonly priority: number;
}

/** `batching/<id>`: a batching instance that accepts links. */
export interface BatchingAnnouncement {
  readonly id: string;
  readonly address: string;
}

/** `routers/<id>`: a router that serves clients. They count traffic together, and share what tenants may use in the cluster. */
export interface RouterAnnouncement {
  readonly id: string;
  /** HOST:PORT or unix:PATH at which members of the cluster reach its public API; absent: nowhere. */
  readonly address?: string;
  /** It is served over TLS there. */
  readonly encrypted?: boolean;
}

/** `explainability/<id>`: an instance that takes calls of shoal.explain.v1 from routers. */
export interface ExplainabilityAnnouncement {
  readonly id: string;
  /** HOST:PORT or unix:PATH. */
  readonly address: string;
}

/** Served by each model-worker, as `model-worker.file.<worker>`: puts the file of a version that it serves among the blobs. */
export const modelFileSubject = 'model-worker.file';

export interface ModelFileCall extends ModelKey {
  /** Larger files are refused. */
  readonly maxBytes: number;
}

export interface ModelFileAnswer {
  /** Where it lies among the blobs; what nobody names is removed after a while. */
  readonly digest: string;
  readonly bytes: number;
}

export const explainabilityPrefix = 'explainability/';

/** `twins/<model>/<id>`: an explainability instance uses a derived model. */
export const twinsPrefix = 'twins/';

/** The name of a model that was derived from another, to look into it: who may use that one may use it. */
export function derivedName(model: string, digest: string): string {
  return `${model}.gradient-${digest.slice(0, 16)}`;
}

/** The model that a derived one comes from; undefined for all others. */
export function derivedFrom(name: string): string | undefined {
  return /^(.+)\.gradient-[0-9a-f]{16}$/s.exec(name)?.[1];
}

/** `backgrounds/<name>` of the state: rows that explanations compare with. */
export interface StoredBackground {
  readonly name: string;
  /** It was made for; '' = any. */
  readonly model: string;
  /** Where the rows lie among the blobs: `encodeBackground` of the explainability service. */
  readonly digest: string;
  readonly rows: number;
  readonly inputs: readonly string[];
}

export const backgroundsPrefix = 'backgrounds/';

/** `models/<model>/<worker>`: a model that a worker's repository holds, loaded or not. */
export interface ModelAnnouncement {
  /** Who says so. */
  readonly worker?: string;
  readonly model: string;
  /** Why the model cannot be loaded at all (bad config, no version folder); '' otherwise. */
  readonly reason: string;
  /** It was asked for: by the control mode or by name. A model that nobody wants does not keep a server from being ready. */
  readonly wanted: boolean;
}

export const versionsPrefix = 'versions/';
export const runnersPrefix = 'runners/';
export const batchingPrefix = 'batching/';
export const routersPrefix = 'routers/';
export const modelsPrefix = 'models/';

/** `workers/<id>`: a model-worker, and what it has room for. */
export interface WorkerAnnouncement {
  readonly id: string;
  readonly mode: 'none' | 'poll' | 'explicit';
  /** What it may load, in bytes. */
  readonly memoryBytes: number;
  /** CUDA GPUs. */
  readonly gpus: number;
  /** It ends: it takes nothing new, and keeps what it has until others serve it. */
  readonly leaving: boolean;
}

/** A file that came with a load call. */
export interface DesiredFile {
  /** In the model's folder: `1/model.onnx`. */
  readonly path: string;
  /** Where it lies among the blobs. */
  readonly digest: string;
  readonly bytes: number;
}

/** How many workers serve a model. */
export type Replicas = number | 'all';

/**
 * `desired/<model>` of the state: what somebody asked for. Without one the workers' own modes decide. Each asking has a name of
 * its own, so that workers tell a new one from one that they know, whatever became of the store.
 */
export interface Desire {
  readonly request: string;
  readonly wanted: boolean;
  readonly replicas?: Replicas;
  /** Override of config.pbtxt as JSON text, as Triton's `config` parameter. */
  readonly config?: string;
  /** Override of files. */
  readonly files?: readonly DesiredFile[];
  /** Config and files are those of an earlier call: they give way where the repository has changed since. */
  readonly kept?: boolean;
  /** One worker after the other. */
  readonly rolling?: boolean;
  /** Epoch ms since when it has been wanted: the older have the first choice of workers. */
  readonly since: number;
  /** Epoch ms of the asking. */
  readonly at: number;
  /** Who asked, as far as it is known: tenant and key, address. */
  readonly by: string;
  /** The router that was asked. */
  readonly via: string;
}

/** `reports/<model>/<worker>`: what a worker could do about a model, and what it has done. */
export interface ModelReport {
  readonly worker: string;
  readonly model: string;
  /** The asking (`Desire.request`) that it has looked at its repository for; '' = none. */
  readonly seen: string;
  /** Its own mode has it served. */
  readonly own: boolean;
  /** Why it cannot be loaded here; undefined when it can. */
  readonly refusal?: { readonly code: string; readonly message: string };
  /** What serving it takes, in bytes, estimated. */
  readonly memoryBytes: number;
  /** It wants a GPU. */
  readonly gpu: boolean;
  /** How many workers its config wants. */
  readonly replicas?: Replicas;
  /** The asking that it has carried out, or failed to; '' = none. */
  readonly applied: string;
  readonly state: 'ABSENT' | 'LOADING' | 'READY' | 'FAILED';
  /** Why it failed, with Triton's code and text. */
  readonly failure?: { readonly code: string; readonly message: string };
}

export const workersPrefix = 'workers/';
export const desiredPrefix = 'desired/';
export const reportsPrefix = 'reports/';

/** Served by each model-worker, as `worker.look.<id>`: whether its repositories hold a model, which need not be announced yet. */
export const lookSubject = 'worker.look';

export interface LookCall {
  readonly model: string;
}

export interface LookAnswer {
  readonly found: boolean;
}

/**
 * Served by each batching instance, as `batching.retire.<id>`: resolves when the queue is empty and nothing of it runs; it takes
 * no more offers from then on. When other workers serve the queue too it goes on, and the call resolves at once.
 */
export const retireSubject = 'batching.retire';

export interface RetireCall {
  readonly queue: string;
  /** Who serves it no more; absent: nobody does. */
  readonly worker?: string;
  /** After this many milliseconds what is still queued is rejected UNAVAILABLE and what runs is left to its runner. */
  readonly timeoutMs: number;
}

/** Served by each batching instance, as `batching.statistics.<id>`: what it has counted for the READY versions. */
export const statisticsSubject = 'batching.statistics';

export interface StatisticsCall {
  /** '' = all. */
  readonly model: string;
  /** '' = all. */
  readonly version: string;
}

/** Served by each batching instance, as `batching.request.<id>`: what it knows of a recent request, the newest first. */
export const requestSubject = 'batching.request';

export interface RequestCall {
  /** As the client named it. */
  readonly requestId: string;
  /** Most that are wanted: a client may use an id again. */
  readonly most: number;
}

/** A member of a batch, as others of it see it. */
export interface MemberStory {
  /** '' = its client gave none. */
  readonly requestId: string;
  readonly rows: number;
  readonly queueMs: number;
}

/** What became of a request. Times in milliseconds, `…Ms` that is a moment since 1970. */
export interface RequestStory {
  readonly requestId: string;
  readonly router: string;
  readonly offerId: number;
  /** '' = no longer known. */
  readonly queue: string;
  readonly rows: number;
  readonly acceptedMs: number;
  /** From its acceptance until its batch was granted, or it was refused. */
  readonly queueMs: number;
  readonly batch?: {
    readonly id: number;
    readonly runner: string;
    /** A `BatchReason` of @shoal/scheduler. */
    readonly reason: string;
    readonly dispatchedMs: number;
    /** Rows that went on waiting. */
    readonly leftRows: number;
    readonly requests: number;
    readonly rows: number;
    readonly members: readonly MemberStory[];
    /** '' = it runs. */
    readonly outcome: string;
    readonly tookMs?: number;
    readonly waitMs?: number;
    readonly runMs?: number;
  };
  readonly rejection?: { readonly code: string; readonly reason: string; readonly message: string };
}

/** Served by each batching instance, as `batching.queues.<id>`: how its queues stand. */
export const queuesSubject = 'batching.queues';

export interface QueuesCall {
  /** '' = all. */
  readonly model: string;
}

export interface QueueReport {
  readonly model: string;
  readonly version: number;
  readonly queue: string;
  readonly waiting: number;
  readonly waitingRows: number;
  readonly oldestMs: number;
  readonly runners: number;
  readonly idleRunners: number;
  /** Batches with runners. */
  readonly inFlight: number;
  /** What was learnt: a run of b rows takes alphaMs + betaMs · b, and `high` times that seldom. */
  readonly curves: readonly {
    readonly bucket: number;
    readonly alphaMs: number;
    readonly betaMs: number;
    readonly high: number;
    readonly samples: number;
  }[];
}

export interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** The fields of inference.ModelStatistics, Triton's arithmetic (research: serving.md §2). */
export interface VersionStatistics {
  readonly model: string;
  readonly version: number;
  readonly lastInferenceMs: number;
  readonly inferenceCount: number;
  readonly executionCount: number;
  readonly success: Duration;
  readonly fail: Duration;
  readonly queue: Duration;
  readonly computeInput: Duration;
  readonly computeInfer: Duration;
  readonly computeOutput: Duration;
  readonly batches: readonly {
    readonly batchSize: number;
    readonly computeInput: Duration;
    readonly computeInfer: Duration;
    readonly computeOutput: Duration;
  }[];
}
