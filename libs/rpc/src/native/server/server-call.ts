import { type Clock, type ErrorCode, ShoalError, toShoalError } from '@shoal/core';
import type { HeaderBlock, Stream } from '@shoal/http2';
import type { CallContext } from '../../server';
import type { Deflation } from '../wire/compression';
import { MessageReader, type MessageRoom, type MessageSink } from '../wire/message-reader';
import { decodeBinary } from '../wire/metadata-pairs';
import { Answer } from './answer';
import type { CallList, Listed } from './call-list';
import type { Deadlines, Expiring } from '../wire/deadlines';
import type { RequestHead } from './request-head';
import type { Route } from './route';

/** What calls need of their server. */
export interface CallServer {
  readonly clock: Clock;
  readonly room: MessageRoom;
  readonly deadlines: Deadlines;
  /** Calls that are not over, or whose handlers still work. */
  readonly calls: CallList<ServerCall>;
  readonly compression: Deflation | null;
  /** Told of what a handler threw that is no ShoalError. */
  report(thrown: unknown, path: string): void;
}

/** Where a call came in. */
export interface CallConnection {
  readonly peer: string;
}

/**
 * A call from its request headers to its status. It is over once it has a status or nobody waits for one; a handler may work on
 * after that, and counts against the client's streams until it ends, since calls that are begun only to be given up cost as much as
 * others.
 */
export abstract class ServerCall extends Answer implements CallContext, MessageSink, Expiring, Listed<ServerCall> {
  // Of the heap of deadlines and the list of calls.
  heapKey = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  listPrevious: ServerCall | null = null;
  listNext: ServerCall | null = null;
  readonly deadline: number | undefined;
  requestCompressed = false;
  readonly reader: MessageReader;
  protected readonly route: Route;
  readonly #server: CallServer;
  readonly #connection: CallConnection;
  readonly #block: HeaderBlock;
  #over = false;
  #holds = false;
  #cancelled = false;
  #onCancel: (() => void) | null = null;
  /** Only where the call is metered. */
  readonly #startedAt: number;

  constructor(
    server: CallServer,
    connection: CallConnection,
    stream: Stream,
    block: HeaderBlock,
    head: RequestHead,
    route: Route,
  ) {
    super(stream, head.acceptsGzip, server.compression);
    this.#server = server;
    this.#connection = connection;
    this.#block = block;
    this.route = route;
    this.#startedAt = route.meter === undefined ? 0 : server.clock.now();
    this.reader = new MessageReader(stream, server.room, route.maxBytes, this);
    this.reader.encoding = head.encoding;
    server.calls.add(this);
    if (head.timeoutMs === Number.POSITIVE_INFINITY) this.deadline = undefined;
    else {
      this.deadline = server.clock.now() + head.timeoutMs;
      server.deadlines.add(this, this.deadline);
    }
  }

  get path(): string {
    return this.route.path;
  }

  get peer(): string {
    return this.#connection.peer;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Answered or cancelled: nothing more can be said. */
  get isOver(): boolean {
    return this.#over;
  }

  header(name: string): string | undefined {
    return name.endsWith('-bin') ? undefined : this.#block.get(name);
  }

  binaryHeader(name: string): Buffer | undefined {
    const value = name.endsWith('-bin') ? this.#block.get(name) : undefined;
    return value === undefined ? undefined : decodeBinary(value);
  }

  recycle(message: Buffer): void {
    this.#server.room.pool.give(message);
  }

  allocate(length: number): Buffer {
    const { pool } = this.#server.room;
    return this.lend(pool.take(length), (memory) => pool.give(memory as Buffer));
  }

  onCancel(cancelled: () => void): void {
    this.#onCancel = cancelled;
    if (this.#cancelled) queueMicrotask(() => this.#tellCancelled());
  }

  // ---- what may end it

  /** It has a status: true the first time, unless it was cancelled before. */
  protected settle(code: ErrorCode | 'OK'): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.route.meter?.ended(code, this.#server.clock.now() - this.#startedAt);
    if (this.heapIndex >= 0) this.#server.deadlines.delete(this);
    this.reader.close();
    if (!this.#holds) this.#server.calls.delete(this);
    return true;
  }

  /** Ends it with what was thrown. */
  protected fail(thrown: unknown): void {
    const error = toShoalError(thrown);
    if (error !== thrown) this.#server.report(thrown, this.path);
    if (this.settle(error.code)) this.writeStatus(error);
  }

  /** The requests cannot be understood, or are too large. */
  unreadable(error: ShoalError): void {
    if (this.settle(error.code)) this.writeStatus(error);
  }

  /** The deadline has passed. */
  expire(): void {
    this.#endAndTell(new ShoalError('DEADLINE_EXCEEDED', 'Deadline exceeded'));
  }

  /** The server does not wait for it any longer, nor for its handler. */
  abandon(error: ShoalError): void {
    this.#endAndTell(error);
    this.release();
  }

  /** The client, or the connection, is gone. */
  abort(): void {
    this.dropAnswer();
    if (!this.settle('CANCELLED')) return;
    this.#cancelled = true;
    this.#tellCancelled();
  }

  #endAndTell(error: ShoalError): void {
    if (!this.settle(error.code)) return;
    this.writeStatus(error);
    this.#cancelled = true;
    this.#tellCancelled();
  }

  #tellCancelled(): void {
    try {
      this.#onCancel?.();
    } catch (thrown) {
      this.#server.report(thrown, this.path);
    }
  }

  // ---- while a handler works

  /** The handler works, whatever becomes of the call, until `release`. One that has ended the call already is not waited for. */
  protected hold(): void {
    if (this.#over) return;
    this.#holds = true;
    this.stream.hold();
  }

  protected release(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.stream.release();
    if (this.#over) this.#server.calls.delete(this);
  }

  // ---- messages

  abstract received(message: Buffer, compressed: boolean): void;
  abstract receivedAll(): void;
}
