import { type Clock, ShoalError, toShoalError } from '@shoal/core';
import {
  type AbortReason,
  type ClientConnection,
  type HeaderBlock,
  type PreparedHeaders,
  type Stream,
  type StreamHandler,
  errorCodes,
} from '@shoal/http2';
import type { CallOptions } from '../../client';
import type { Deadlines, Expiring } from '../wire/deadlines';
import { MessageReader, type MessageRoom, type MessageSink } from '../wire/message-reader';
import { metadataOf } from '../wire/metadata-pairs';
import { errorFromHttpStatus, errorFromReset, errorFromTrailers } from '../wire/status-trailers';
import type { CallQueue } from './call-queue';
import type { TimeoutPairs } from './request-heads';
import { responseHead, statusOfHead } from './response-head';
import { rethrowLater } from './rethrow-later';
import type { Sendable } from './subchannel';

/** What calls need of their client. */
export interface CallHost {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly timeouts: TimeoutPairs;
  /** Of a response message. */
  readonly maxBytes: number;
  /** For messages to users. */
  readonly targetText: string;
  began(): void;
  /** Sends the call as soon as there is a connection. */
  start(call: ClientCall): void;
  /** The call is over. */
  ended(): void;
}

/** How often a call is sent again that the server certainly did nothing about (RFC 9113 §8.7): a server may go away more than once. */
const maxResends = 3;

/** Of all calls: what happens to a stream happens to its call. */
const toCall: StreamHandler = {
  onHeaders: (stream, block, ends) => (stream.user as ClientCall).onHead(block, ends),
  onData: (stream, bytes, start, end) => (stream.user as ClientCall).onData(stream, bytes, start, end),
  onTrailers: (stream, block) => (stream.user as ClientCall).onTrail(block),
  onEnd: (stream) => (stream.user as ClientCall).onRemoteEnd(),
  onWritable: (stream) => (stream.user as ClientCall).onWritable(),
  onAborted: (stream, reason) => (stream.user as ClientCall).onAborted(reason),
};

/** A call from its beginning to its status, whatever it carries. */
export abstract class ClientCall implements MessageSink, Expiring, Sendable {
  // Of the heap of deadlines and the queue of those that wait.
  heapKey = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  queue: CallQueue<Sendable> | null = null;
  queuePrevious: Sendable | null = null;
  queueNext: Sendable | null = null;
  protected readonly host: CallHost;
  protected stream: Stream | null = null;
  protected reader: MessageReader | null = null;
  readonly #room: MessageRoom;
  #head: PreparedHeaders;
  #metadata: readonly string[] | null;
  #options: CallOptions | null = null;
  #onAbort: (() => void) | null = null;
  #over = false;
  #ok = false;
  #resends = 0;

  constructor(host: CallHost, room: MessageRoom, head: PreparedHeaders, metadata: readonly string[] | null) {
    this.host = host;
    this.#room = room;
    this.#head = head;
    this.#metadata = metadata;
  }

  /** It has its status. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Begins it, with what may end it early and who hears of its metadata. */
  protected begin(options: CallOptions, timeoutMs: number | undefined): void {
    this.host.began();
    const { signal } = options;
    if (signal !== undefined || options.onHeaders !== undefined || options.onTrailers !== undefined) {
      this.#options = options;
    }
    if (signal !== undefined) {
      if (signal.aborted) {
        this.cancelled();
        return;
      }
      this.#onAbort = () => this.cancelled();
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      if (!(timeoutMs > 0)) {
        this.expire();
        return;
      }
      this.host.deadlines.add(this, this.host.clock.now() + timeoutMs);
    }
    this.host.start(this);
  }

  // ---- Sendable

  open(connection: ClientConnection): boolean {
    let stream: Stream | null;
    try {
      stream = connection.request(this.#head, this.#pairs(), toCall);
    } catch (thrown) {
      this.fail(toShoalError(thrown));
      return true;
    }
    if (stream === null) return false;
    stream.user = this;
    this.stream = stream;
    this.opened(stream);
    return true;
  }

  /** Ends it, whatever the server does. */
  fail(error: ShoalError): void {
    const { stream } = this;
    if (!this.settle()) return;
    stream?.reset(errorCodes.CANCEL);
    this.failed(error);
  }

  expire(): void {
    const text =
      this.stream === null ? `Deadline exceeded while no connection to ${this.host.targetText} was there` : '';
    this.fail(new ShoalError('DEADLINE_EXCEEDED', text === '' ? 'Deadline exceeded' : text));
  }

  /** Nobody wants the answer. */
  protected cancelled(): void {
    this.fail(new ShoalError('CANCELLED', 'the call was cancelled'));
  }

  // ---- what the kinds of calls do

  /** Its stream is there: the request may be sent. */
  protected abstract opened(stream: Stream): void;
  /** The request may be sent once more. */
  protected abstract get isResendable(): boolean;
  protected abstract succeeded(): void;
  protected abstract failed(error: ShoalError): void;
  abstract received(message: Buffer, compressed: boolean): void;
  abstract onWritable(): void;

  // ---- what the stream tells

  onHead(block: HeaderBlock, ends: boolean): void {
    if (this.#over) return;
    if (ends) {
      this.#status(block, statusOfHead(block));
      return;
    }
    const { isGrpc, encoding } = responseHead(block);
    if (!isGrpc) {
      this.fail(block.status === 200 ? notGrpc() : errorFromHttpStatus(block.status));
      return;
    }
    if (encoding !== undefined) this.readerOf(this.stream!).encoding = encoding;
    const told = this.#options?.onHeaders;
    if (told !== undefined) tell(told, block);
  }

  onData(stream: Stream, bytes: Buffer, start: number, end: number): void {
    if (this.#over) stream.consumed(end - start);
    else this.readerOf(stream).push(bytes, start, end);
  }

  onTrail(block: HeaderBlock): void {
    if (!this.#over) this.#status(block, errorFromTrailers(block));
  }

  onRemoteEnd(): void {
    if (this.#over) return;
    if (!this.#ok) this.#finish(new ShoalError('UNKNOWN', 'the server ended the call without a status'));
    else if (this.reader === null) this.receivedAll();
    else this.reader.end();
  }

  onAborted(reason: AbortReason): void {
    if (this.#over) return;
    this.stream = null;
    this.reader?.close();
    this.reader = null;
    if (reason.unprocessed && this.#resends < maxResends && this.isResendable) {
      this.#resends += 1;
      this.host.start(this);
    } else if (this.heapIndex >= 0 && this.host.clock.now() >= this.heapKey) {
      // Servers reset calls whose time is up, and may be quicker than our own timer.
      this.#finish(new ShoalError('DEADLINE_EXCEEDED', 'Deadline exceeded'));
    } else this.#finish(errorOf(reason, this.host.targetText));
  }

  // ---- MessageSink

  receivedAll(): void {
    if (this.settle()) this.succeeded();
  }

  unreadable(error: ShoalError): void {
    this.fail(error);
  }

  /** It has come to its end: true the first time. */
  protected settle(): boolean {
    if (this.#over) return false;
    this.#over = true;
    if (this.heapIndex >= 0) this.host.deadlines.delete(this);
    if (this.queue !== null) this.queue.delete(this);
    if (this.#onAbort !== null) this.#options?.signal?.removeEventListener('abort', this.#onAbort);
    this.reader?.close();
    this.stream = null;
    this.reader = null;
    this.host.ended();
    return true;
  }

  /** The status has come: a failure is told at once, success when all messages have been received. */
  #status(block: HeaderBlock, error: ShoalError | undefined): void {
    const told = this.#options?.onTrailers;
    if (told !== undefined) tell(told, block);
    if (error === undefined) this.#ok = true;
    else this.#finish(error);
  }

  /** The stream is over, or will be without our doing. */
  #finish(error: ShoalError): void {
    if (this.settle()) this.failed(error);
  }

  protected readerOf(stream: Stream): MessageReader {
    return (this.reader ??= new MessageReader(stream, this.#room, this.host.maxBytes, this));
  }

  #pairs(): readonly string[] | null {
    const metadata = this.#metadata;
    if (this.heapIndex < 0) return metadata;
    const timeout = this.host.timeouts.of(this.heapKey - this.host.clock.now());
    return metadata === null ? timeout : [...timeout, ...metadata];
  }
}

function tell(listener: NonNullable<CallOptions['onHeaders']>, block: HeaderBlock): void {
  try {
    listener(metadataOf(block));
  } catch (thrown) {
    rethrowLater(thrown);
  }
}

function notGrpc(): ShoalError {
  return new ShoalError('UNKNOWN', 'the answer is no gRPC: its content-type is not application/grpc');
}

/** The status of a call whose stream broke off. */
function errorOf({ by, code, unprocessed }: AbortReason, target: string): ShoalError {
  if (by === 'connection') return new ShoalError('UNAVAILABLE', `the connection to ${target} was lost`);
  if (by === 'peer') {
    return unprocessed ? new ShoalError('UNAVAILABLE', `${target} takes no calls now`) : errorFromReset(code);
  }
  if (code === errorCodes.CANCEL) return new ShoalError('UNAVAILABLE', `${target} does not read what it is sent`);
  if (code === errorCodes.ENHANCE_YOUR_CALM)
    return new ShoalError('INTERNAL', 'the headers of the answer are too large');
  return new ShoalError('INTERNAL', `the server broke the rules of HTTP/2 (error ${code})`);
}
