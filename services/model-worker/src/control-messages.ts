import type { ErrorCode } from '@shoal/core';
import type { ModelSignature } from '@shoal/protocol';
import type { TlsFilePaths } from '@shoal/rpc';
import type { OnnxValueMetadata, ProviderCandidate, SessionOptions } from '@shoal/repository';

/*
 * What a supervisor and its runner process say to each other over the process's IPC channel: control only, a few
 * messages in a runner's life. Requests travel over links.
 */

/**
 * Where a session's runs are made. thread: on a thread of its own; inline: on the runner's main thread; auto: runs that
 * prove to be short inline, all others on the thread.
 */
export type Execution = 'auto' | 'inline' | 'thread';

/** First message: make the session. */
export interface LoadSpec {
  readonly kind: 'load';
  /** Absolute path of the model file. */
  readonly modelPath: string;
  readonly sessionOptions: SessionOptions;
  /** Tried one at a time, in this order; the first that makes a session wins. */
  readonly candidates: readonly ProviderCandidate[];
  readonly execution: Execution;
  /** Each run takes so much longer, without using a processor; 0 but for benches. Only with execution 'thread'. */
  readonly simulatedDeviceMs: number;
}

/** The session's own signature, as ONNX Runtime reports it. */
export interface SessionInfo {
  readonly inputMetadata: readonly OnnxValueMetadata[];
  readonly outputMetadata: readonly OnnxValueMetadata[];
}

/** The session stands. */
export interface Loaded {
  readonly kind: 'loaded';
  readonly info: SessionInfo;
  readonly candidate: ProviderCandidate;
  /** Why each earlier candidate was passed over, for the log. */
  readonly passedOver: readonly { readonly candidate: ProviderCandidate; readonly reason: string }[];
  /** What the session alone took. */
  readonly tookMs: number;
}

/** A tensor that a warm-up run is given, before batching: shapes without the batch dimension. */
export interface WarmupInput {
  readonly name: string;
  readonly dims: readonly number[];
  readonly source: 'zero' | 'random' | 'file';
  /** For 'file': absolute path. */
  readonly path?: string;
}

/** One sample of `model_warmup`. */
export interface WarmupSample {
  readonly name: string;
  /** Batch items; the sample's inputs are repeated so often. 0 for models without a batch dimension. */
  readonly batchSize: number;
  readonly count: number;
  readonly inputs: readonly WarmupInput[];
}

/** Mutual TLS of the runner's links. */
export interface RunnerTls {
  /** As in `LinkTls`. */
  readonly name: string;
  /** With absolute paths; the runner follows them. */
  readonly files: TlsFilePaths;
  /** What its supervisor uses, to begin with: the files may be broken at the moment. PEM. */
  readonly first: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** Second message: what to serve, and where. */
export interface ServeSpec {
  readonly kind: 'serve';
  /** The runner's id, unique in the cluster. */
  readonly id: string;
  readonly queue: string;
  /** `unix:PATH` or `HOST:0`. */
  readonly listen: string;
  /** Given: links over TCP are mutual TLS. */
  readonly tls?: RunnerTls;
  readonly signature: ModelSignature;
  /** Absolute path of the model's folder. */
  readonly modelFolder: string;
  /** Class labels by output name. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly warmups: readonly WarmupSample[];
  /** A run that takes longer is hung; 0 = no limit. */
  readonly runTimeoutMs: number;
  /** A run that nobody waits for is hung after this, or later where runs or loads take long. */
  readonly abandonedGraceMs: number;
  /** Members whose bytes have not come after this are left out. */
  readonly gatherTimeoutMs: number;
  /** Largest response in bytes. */
  readonly maxResponseBytes: number;
  /** Most bytes of this machine's shared memory that its answers may take. */
  readonly sharedMemoryBytes: number;
  /** Its supervisor exports spans, and takes the runner's. */
  readonly traced: boolean;
}

/** The runner accepts links. */
export interface Serving {
  readonly kind: 'serving';
  readonly address: string;
}

/** Loading came to nothing, by the model's own fault; the process waits to be ended. */
export interface LoadFailed {
  readonly kind: 'load-failed';
  /** ONNX Runtime's words, not yet sanitised; with a code, Shoal's own. */
  readonly reason: string;
  readonly code?: ErrorCode;
}

/** The run cannot end by itself: end the process. */
export interface Hung {
  readonly kind: 'hung';
  readonly reason: string;
}

/** From now on runs may hold the main thread: one that does not end is noticed by the pings that it leaves unanswered. */
export interface Inline {
  readonly kind: 'inline';
}

/** Answers a ping: the main thread lives. */
export interface Pong {
  readonly kind: 'pong';
}

/** Spans that have ended. */
export interface Spans {
  readonly kind: 'spans';
  /** As of a `SpanRelay`, in base64: the channel carries JSON. */
  readonly encoded: string;
  readonly count: number;
}

export type FromRunner = Loaded | LoadFailed | Serving | Inline | Hung | Pong | Spans;

/** Ask batching for nothing more. */
export interface RetireOrder {
  readonly kind: 'retire';
}

/** Finish what was granted, flush, end. */
export interface StopOrder {
  readonly kind: 'stop';
}

export interface Ping {
  readonly kind: 'ping';
}

export type ToRunner = LoadSpec | ServeSpec | RetireOrder | StopOrder | Ping;
