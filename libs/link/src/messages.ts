import type { ErrorCode } from '@shoal/core';
import type { MessageBytes } from './bytes';
import type { FilePart } from './file-part';

/*
 * What router, batching and runners say to each other (proto/shoal/link/v1/link.proto is the wire form; this is the
 * form in memory). A request is known by its `offerId`, unique among the offers of one router: an offer that is made
 * again after a lost runner gets a fresh one, so every offer is settled exactly once. A place in a batch is
 * (`batchId`, `member`), and `batchId` is unique among the batches of one batching instance.
 */

/** Length of a place in a trace: trace id (16), span id (8), flags (1). Messages of what is not recorded have none. */
export const traceBytes = 25;

/** First message in both directions on every link: who speaks. `id` is unique in the cluster. */
export interface Hello {
  readonly kind: 'hello';
  readonly role: 'router' | 'batching' | 'runner';
  readonly id: string;
}

/** router → batching: a request waits at my house. Metadata only. */
export interface Offer {
  readonly kind: 'offer';
  readonly offerId: number;
  /** The queue's key: see `queueKey` in @shoal/bus. */
  readonly queue: string;
  /** Batch items: dimension 0 of its inputs where the model batches, else 1. */
  readonly rows: number;
  /** Requests with different keys cannot share a batch; '' where all shapes are fixed. */
  readonly shapeKey: string;
  /** Bytes of its tensors. */
  readonly bytes: number;
  /** Milliseconds left until its deadline when sent; 0 = none. */
  readonly timeoutMs: number;
  /** Milliseconds since the router accepted it: > 0 when it is offered again. */
  readonly ageMs: number;
  /** Triton's `priority`: 1 is highest, 0 = the model's default. */
  readonly priority: number;
  /** Triton's `timeout` parameter in microseconds of queueing; 0 = not given. */
  readonly queueTimeoutUs: number;
  /** True when a runner died with it: it may be poison, so it runs alone on a runner that runs nothing else. */
  readonly solo: boolean;
  /** It runs when nothing else of its queue waits. */
  readonly background: boolean;
  /** Its place in a trace that is recorded, see `traceBytes`. */
  readonly trace?: Uint8Array;
  /** The client's own request id, for those who ask later what became of it; absent: it gave none. */
  readonly requestId?: string;
  /** The client wants to be told of its batch: `Send` says it. */
  readonly why?: true;
}

/** Of a batch, for a client that asked: how many share it, why it was formed when it was, and what the request waited. */
export interface BatchFacts {
  readonly requests: number;
  readonly rows: number;
  /** A `BatchReason` of @shoal/scheduler. */
  readonly reason: string;
  /** Whole microseconds between the request's acceptance and the batch's grant. */
  readonly queueUs: number;
}

/** router → batching: nobody waits for this offer any more. */
export interface Cancel {
  readonly kind: 'cancel';
  readonly offerId: number;
  /** Why, for the counters. */
  readonly reason: 'cancelled' | 'deadline';
}

/** batching → router: send this request's bytes to that runner, as that member of that batch. */
export interface Send {
  readonly kind: 'send';
  readonly offerId: number;
  readonly batchId: number;
  readonly member: number;
  /** The runner's id, announced on the bus with its address. */
  readonly runner: string;
  /** Where the offer asked for it. */
  readonly facts?: BatchFacts;
}

/** batching → router: this offer is settled without an answer. */
export interface Reject {
  readonly kind: 'reject';
  readonly offerId: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** 'model': the run failed; 'queue': it never ran (full, timed out, expired, model gone). */
  readonly origin: 'model' | 'queue';
  /** When to try again, in milliseconds; absent where that is not known. */
  readonly retryMs?: number;
}

/** batching → runner: these requests make the next batch; their bytes come from their routers. */
export interface Batch {
  readonly kind: 'batch';
  readonly batchId: number;
  /** Ids of the routers that send member 0, 1, …. */
  readonly routers: readonly string[];
  /** Rows of member 0, 1, …. */
  readonly rows: readonly number[];
  /** The batch's place in a trace of its own, where a member's is recorded. */
  readonly trace?: Uint8Array;
  /** With a trace: when it was granted, by the wall clock of batching, in ms with a fraction. */
  readonly grantedMs?: number;
}

/** Where the client wants an output: in a file of its own, which the router has open. */
export interface OutputPlace {
  readonly file: FilePart;
  /** What the client calls it, for the response: its region's name, and the offset in that region. */
  readonly region: string;
  readonly offset: number;
}

/** An output that the client asked for. */
export interface WantedOutput {
  /** Index into the model's configured outputs. */
  readonly index: number;
  /** Triton's `classification` parameter: top k as BYTES; 0 = the tensor itself. */
  readonly classification: number;
  /** The runner writes it there and not into the response. Only over links with `sharesMemory`. */
  readonly place?: OutputPlace;
}

/** One input tensor, raw little-endian bytes as in raw_input_contents. */
export interface InputData {
  /** Index into the model's configured inputs. */
  readonly index: number;
  /** Wire shape, with the batch dimension where the model has one. */
  readonly shape: readonly number[];
  /** A `FilePart` only over links with `sharesMemory`. The receiver releases what is not here. */
  readonly bytes: MessageBytes;
}

/** router → runner: one member's bytes. */
export interface Data {
  readonly kind: 'data';
  readonly batchId: number;
  readonly member: number;
  /** Echoed in the answer. */
  readonly offerId: number;
  /** The client's own request id, echoed in the response; may be ''. */
  readonly requestId: string;
  readonly inputs: readonly InputData[];
  /** Outputs to return, in the model's order; empty = all, as tensors. */
  readonly outputs: readonly WantedOutput[];
  /** The request's place in a trace that is recorded. */
  readonly trace?: Uint8Array;
}

/** router → runner: this member's client is gone; run the batch without it. */
export interface Withdraw {
  readonly kind: 'withdraw';
  readonly batchId: number;
  readonly member: number;
}

/** runner → router: the answer, a whole serialised inference.ModelInferResponse, passed on untouched. */
export interface Answer {
  readonly kind: 'answer';
  readonly offerId: number;
  readonly response: MessageBytes;
  /** The member's share, by rows, of the time for which its batch ran, in whole microseconds. */
  readonly computeUs: number;
}

/** runner → router: I could not run it (retiring, unknown batch); offer it again. It did no harm. */
export interface Refused {
  readonly kind: 'refused';
  readonly offerId: number;
}

/** runner → batching, after the hellos: I run batches of this queue, so many at once (one runs, the rest load). */
export interface Ready {
  readonly kind: 'ready';
  readonly runner: string;
  readonly queue: string;
  readonly credits: number;
}

/** One member's own failure within a batch that ran. */
export interface MemberError {
  readonly member: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** runner → batching: the batch is over and its credit returned. Durations in nanoseconds. */
export interface Done {
  readonly kind: 'done';
  readonly batchId: number;
  /** 'failed': the run threw, nobody was answered; 'refused': it never ran. */
  readonly outcome: 'ok' | 'failed' | 'refused';
  /** Of a failure: its status and text for the client; 'UNKNOWN' and '' otherwise. */
  readonly code: ErrorCode;
  readonly message: string;
  readonly memberErrors: readonly MemberError[];
  /** Members that were withdrawn, or whose bytes never came, and so were not run. */
  readonly absent: readonly number[];
  /** From the batch's arrival at the runner until its compute began. */
  readonly waitNs: number;
  readonly computeInputNs: number;
  readonly computeInferNs: number;
  readonly computeOutputNs: number;
}

/** runner → batching: grant me nothing more. */
export interface Retire {
  readonly kind: 'retire';
}

export type LinkMessage =
  | Hello
  | Offer
  | Cancel
  | Send
  | Reject
  | Batch
  | Data
  | Withdraw
  | Answer
  | Refused
  | Ready
  | Done
  | Retire;
