import { ShoalError } from '@shoal/core';
import type { ClientConnection } from '@shoal/http2';
import { Attempt, type AttemptEvents, type Dialling } from './attempt';
import { Backoff } from './backoff';
import { CallQueue, type Queued } from './call-queue';

/** A call, as connections see it. */
export interface Sendable extends Queued<Sendable> {
  /** Sends it; false when the connection takes no more streams now. */
  open(connection: ClientConnection): boolean;
  fail(error: ShoalError): void;
}

/**
 * gRPC's doc/connectivity-semantics-and-api.md: a call wakes an idle one, and waits while it connects; for a while after a failure calls
 * fail at once, and the first call after that tries again.
 */
export type Connectivity = 'idle' | 'connecting' | 'ready' | 'transient-failure' | 'shutdown';

/** Calls that wait for a connection, or for the server to allow more streams. */
const maxWaiting = 65_536;

/** One connection of a client, made anew as often as needed. Those that go away finish what they carry. */
export class Subchannel implements AttemptEvents {
  readonly #dialling: Dialling;
  readonly #backoff: Backoff;
  readonly #failedOver: (call: Sendable, error: ShoalError) => void;
  readonly #waiting = new CallQueue<Sendable>();
  #state: Connectivity = 'idle';
  #attempt: Attempt | undefined;
  #connection: ClientConnection | null = null;
  #retryAt = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #reason = '';

  /** @param failedOver gets the calls that waited for a connection that could not be made */
  constructor(dialling: Dialling, failedOver: (call: Sendable, error: ShoalError) => void) {
    this.#dialling = dialling;
    this.#failedOver = failedOver;
    this.#backoff = new Backoff(dialling.random);
  }

  get state(): Connectivity {
    return this.#state;
  }

  /** Calls it carries, or that wait for it. */
  get load(): number {
    return this.#waiting.size + (this.#connection === null ? 0 : this.#connection.activeStreams);
  }

  /** It failed to connect and has not rested yet: calls would fail. */
  get isResting(): boolean {
    return this.#state === 'transient-failure' && this.#dialling.clock.now() < this.#retryAt;
  }

  /** When it last failed to connect. */
  get failedAt(): number {
    return this.#failedAt;
  }

  /** Sends a call, now or as soon as there is a connection. */
  start(call: Sendable): void {
    const connection = this.#connection;
    if (connection !== null) {
      if (connection.state === 'open' || connection.state === 'handshake') {
        if (this.#waiting.size > 0 || !call.open(connection)) this.#wait(call);
        return;
      }
      this.#leave(connection);
    }
    if (this.#state === 'shutdown' || this.isResting) call.fail(this.#error());
    else {
      this.#wait(call);
      if (this.#state !== 'connecting') this.#connect();
    }
  }

  /** What waits fails; what is under way goes on. */
  close(): void {
    if (this.#state === 'shutdown') return;
    this.#state = 'shutdown';
    this.#attempt?.abandon();
    this.#connection?.drain();
    this.#connection = null;
    for (let call = this.#waiting.shift(); call !== null; call = this.#waiting.shift()) call.fail(this.#error());
  }

  // ---- AttemptEvents

  connected(connection: ClientConnection): void {
    this.#attempt = undefined;
    this.#backoff.reset();
    this.#state = 'ready';
    this.#connection = connection;
    this.#send(connection);
  }

  failed(reason: string): void {
    const now = this.#dialling.clock.now();
    this.#attempt = undefined;
    this.#state = 'transient-failure';
    this.#failedAt = now;
    this.#retryAt = now + this.#backoff.next();
    this.#reason = reason;
    // Those that come back while this goes on are not asked again.
    const waiting = this.#takeAll();
    for (const call of waiting) this.#failedOver(call, this.#error());
  }

  onCapacity(connection: ClientConnection): void {
    if (connection === this.#connection) this.#send(connection);
  }

  onDraining(connection: ClientConnection): void {
    this.#leave(connection);
  }

  closed(connection: ClientConnection): void {
    this.#leave(connection);
  }

  /** Sends nothing more there. */
  #leave(connection: ClientConnection): void {
    if (connection !== this.#connection) return;
    this.#connection = null;
    this.#state = 'idle';
    if (this.#waiting.size > 0) this.#connect();
  }

  #connect(): void {
    this.#state = 'connecting';
    this.#attempt = new Attempt(this.#dialling, this);
  }

  #wait(call: Sendable): void {
    if (this.#waiting.size < maxWaiting) this.#waiting.push(call);
    else {
      const text = `${maxWaiting} calls wait for ${this.#dialling.target.text} already`;
      call.fail(new ShoalError('RESOURCE_EXHAUSTED', text));
    }
  }

  #send(connection: ClientConnection): void {
    for (let call = this.#waiting.shift(); call !== null; call = this.#waiting.shift()) {
      if (call.open(connection)) continue;
      this.#waiting.putBack(call);
      return;
    }
  }

  #takeAll(): Sendable[] {
    const calls: Sendable[] = [];
    for (let call = this.#waiting.shift(); call !== null; call = this.#waiting.shift()) calls.push(call);
    return calls;
  }

  #error(): ShoalError {
    const { text } = this.#dialling.target;
    const why = this.#state === 'shutdown' ? 'the client is closed' : `no connection to ${text}: ${this.#reason}`;
    return new ShoalError('UNAVAILABLE', why);
  }
}
