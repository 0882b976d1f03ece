import type { ModelConfig } from '@shoal/protocol';

/** Names one loading of one version of one model; a reload is a new generation and so a new queue. */
export interface ModelKey {
  readonly model: string;
  readonly version: number;
  /** Unique among the loads of this version. */
  readonly generation: string;
}

/** The queue that serves one loading of a model version. */
export function queueKey(key: ModelKey): string {
  return `${key.model}/${key.version}@${key.generation}`;
}

/** `versions/<model>/<version>`: what the cluster knows of one model version. A version once loaded stays listed. */
export interface VersionAnnouncement extends ModelKey {
  readonly state: 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE';
  /** Why it is not READY, in Triton's words ("unloaded", or the load error); '' otherwise. */
  readonly reason: string;
  /** The normalised, auto-completed config; absent until it is known. */
  readonly config?: ModelConfig;
  /** Class labels by output name. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

/** `runners/<id>`: a runner that accepts links. */
export interface RunnerAnnouncement extends ModelKey {
  readonly id: string;
  readonly address: string;
  /** "CPU", "CUDA 0", … for people. */
  readonly device: string;
}

/** `batching/<id>`: a batching instance that accepts links. */
export interface BatchingAnnouncement {
  readonly id: string;
  readonly address: string;
}

/** `models/<model>`: a model that the repository holds, loaded or not. */
export interface ModelAnnouncement {
  readonly model: string;
  /** Why the model cannot be loaded at all (bad config, no version folder); '' otherwise. */
  readonly reason: string;
  /** It was asked for: by the control mode or by name. A model that nobody wants does not keep a server from being ready. */
  readonly wanted: boolean;
}

export const versionsPrefix = 'versions/';
export const runnersPrefix = 'runners/';
export const batchingPrefix = 'batching/';
export const modelsPrefix = 'models/';

/** Calls served by the model-worker. Both resolve when done, and reject with Triton's codes and texts. */
export const loadSubject = 'model-worker.load';
export const unloadSubject = 'model-worker.unload';

export interface LoadCall {
  readonly model: string;
  /** Override of config.pbtxt as JSON text, as Triton's `config` parameter. */
  readonly config?: string;
  /** Override of files: relative path (`1/model.onnx`) → base64 of its bytes. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface UnloadCall {
  readonly model: string;
  readonly unloadDependents: boolean;
}

/** Served by batching: resolves when the queue is empty and nothing of it runs; it takes no more offers from then on. */
export const retireSubject = 'batching.retire';

export interface RetireCall {
  readonly queue: string;
  /** After this many milliseconds what is still queued is rejected UNAVAILABLE and what runs is left to its runner. */
  readonly timeoutMs: number;
}

/** Served by batching: the statistics of the READY versions it owns. */
export const statisticsSubject = 'batching.statistics';

export interface StatisticsCall {
  /** '' = all. */
  readonly model: string;
  /** '' = all. */
  readonly version: string;
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
