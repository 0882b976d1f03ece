import type { SpanContext } from '@shoal/telemetry';
import type { BlobStore, StateStore } from './state';

/** How it stands with what joins the processes. */
export interface BusHealth {
  readonly connected: boolean;
  /** Times that it was joined again after it had been cut off. */
  readonly reconnects: number;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** It is made for something that is recorded. */
  readonly trace?: SpanContext | undefined;
}

/**
 * Announcements and calls between services: small, typed, never a tensor. In process by default; the NATS twin keeps
 * the same meaning (announce → JetStream KV, call → request/reply). Nothing on a request's path waits for it.
 */
export interface Bus {
  /** Makes `value` known under `key` until it is replaced or withdrawn. Values are plain JSON and must not be mutated. */
  announce<T extends object>(key: string, value: T): void;
  withdraw(key: string): void;
  /** Tells of every value under `prefix`: first those that stand, then each change (`undefined` = withdrawn). */
  watch<T extends object>(prefix: string, listener: (key: string, value: T | undefined) => void): () => void;
  /**
   * Says that whoever announces `key` lives, though it may not be heard here: something else joins the two. What it has announced stands
   * until it is withdrawn, says goodbye, or the returned function is called.
   */
  vouch(key: string): () => void;
  /** Answers calls on `subject`. Several may serve one subject; a call reaches one of them. */
  serve<Req, Res>(subject: string, handler: (request: Req) => Promise<Res>): () => void;
  /**
   * Asks whoever serves `subject`.
   * @throws ShoalError as thrown by the handler; UNAVAILABLE when nobody serves it; DEADLINE_EXCEEDED after `timeoutMs`.
   */
  call<Req, Res>(subject: string, request: Req, options?: CallOptions): Promise<Res>;
  /** What people asked for; it outlives them. */
  readonly state: StateStore;
  /** The files that came with it. */
  readonly blobs: BlobStore;
  readonly health: BusHealth;
  /** Settled once it has heard all that is announced, and others hear what is announced here; without NATS that waits for NATS. */
  readonly joined: Promise<void>;
  close(): Promise<void>;
}
