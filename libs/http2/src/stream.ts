import type { HeaderBlock } from './hpack/header-block';
import type { HeaderPairs, PreparedHeaders } from './hpack/prepared-headers';
import type { ReceiveWindow } from './flow-control';
import type { Released } from './frames/output';
import type { SendQueue } from './send-queue';

/**
 * Bits of a stream's state. The states of RFC 9113 §5.1 are: open (neither side closed), half-closed (one of them), closed.
 */
export const streamStates = {
  /** The peer has ended its side. */
  remoteClosed: 1,
  /** We have ended ours: END_STREAM is written. */
  localClosed: 2,
  /** Over, by ending or by a reset. */
  closed: 4,
  /** END_STREAM will be written behind what is queued. */
  endQueued: 8,
  headersSent: 16,
  headersReceived: 32,
  /** The user works for it, whatever became of the stream. */
  held: 64,
  /** The user has been told to wait and is to be called. */
  awaitsWritable: 128,
  /** In line for its turn to send. */
  inLine: 256,
} as const;

const { closed, headersSent } = streamStates;

/** Why a stream ended before both sides had ended it. */
export interface AbortReason {
  /** An error code of RFC 9113 §7. */
  readonly code: number;
  readonly by: 'peer' | 'us' | 'connection';
  /** The peer certainly did nothing about the request: it may be sent again elsewhere (RFC 9113 §8.7). */
  readonly unprocessed: boolean;
}

/**
 * What a user does about a stream. Handlers are meant to be shared by many streams, with what differs in `stream.user`.
 * They are called while input is read, so they must not throw: an exception ends the connection.
 */
export interface StreamHandler {
  /** A client's response headers have come; `ends` when nothing follows. */
  onHeaders?(stream: Stream, block: HeaderBlock, ends: boolean): void;
  /** Data `bytes[start..end)` has come. Whoever is done with it says so: `stream.consumed(end - start)`. */
  onData(stream: Stream, bytes: Buffer, start: number, end: number): void;
  /** Trailers have come; `onEnd` follows. */
  onTrailers?(stream: Stream, block: HeaderBlock): void;
  /** The peer has ended its side. */
  onEnd(stream: Stream): void;
  /** After `write` returned false: everything written has left the stream's queue. */
  onWritable?(stream: Stream): void;
  /** The stream is over before its time. Called once, and nothing after it; not after `stream.reset`. */
  onAborted(stream: Stream, reason: AbortReason): void;
}

/** The connection, as its streams see it. */
export interface StreamOwner {
  sendHeaders(stream: Stream, prepared: PreparedHeaders | null, pairs: HeaderPairs | null, ends: boolean): void;
  write(stream: Stream, data: Uint8Array, ends: boolean, prefix: Uint8Array | null, released: Released | null): boolean;
  sendTrailers(stream: Stream, prepared: PreparedHeaders | null, pairs: HeaderPairs | null): void;
  reset(stream: Stream, code: number): void;
  consumed(stream: Stream, bytes: number): void;
  release(stream: Stream): void;
}

/** One exchange (RFC 9113 §5). */
export class Stream {
  readonly id: number;
  readonly connection: StreamOwner;
  handler: StreamHandler;
  /** Free for the user. */
  user: unknown = undefined;
  /** Bits of `streamStates`; for this room only. */
  state = 0;
  /** Octets of DATA the peer lets us send. */
  sendWindow: number;
  readonly receiveWindow: ReceiveWindow;
  /** Octets handed to the user and not given back. */
  unconsumed = 0;
  /** Octets of DATA received, and how many were declared (-1: not declared). */
  received = 0;
  declared = -1;
  queue: SendQueue | null = null;
  /** The position in the connection's output behind which nothing of ours is held by reference. */
  lentUntil = 0;

  constructor(
    connection: StreamOwner,
    id: number,
    handler: StreamHandler,
    sendWindow: number,
    receiveWindow: ReceiveWindow,
  ) {
    this.connection = connection;
    this.id = id;
    this.handler = handler;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  get isClosed(): boolean {
    return (this.state & closed) !== 0;
  }

  get hasSentHeaders(): boolean {
    return (this.state & headersSent) !== 0;
  }

  /** Octets of DATA that wait for windows or the socket. */
  get queuedBytes(): number {
    return this.queue === null ? 0 : this.queue.bytes;
  }

  /** Sends response headers; a no-op where our side has ended, as are the other ways to send. */
  sendHeaders(prepared: PreparedHeaders | null, pairs: HeaderPairs | null = null, ends = false): void {
    this.connection.sendHeaders(this, prepared, pairs, ends);
  }

  /**
   * Sends data, or queues it: then `data`, which is not copied, must not change until `onWritable`. Returns false when the user
   * should wait for that call before writing more; what was written is kept in any case.
   * @param prefix up to 16 octets that go in front of `data`, copied at once
   * @param released called once when nobody looks at `data` any more, sent or not; also after the stream's end
   */
  write(data: Uint8Array, ends = false, prefix: Uint8Array | null = null, released: Released | null = null): boolean {
    return this.connection.write(this, data, ends, prefix, released);
  }

  /** Ends our side with trailers, behind all data. */
  sendTrailers(prepared: PreparedHeaders | null, pairs: HeaderPairs | null = null): void {
    this.connection.sendTrailers(this, prepared, pairs);
  }

  /** Ends the stream at once, both ways. */
  reset(code: number): void {
    this.connection.reset(this, code);
  }

  /** The user is done with `bytes` of the data it was given: the peer may send as many again. */
  consumed(bytes: number): void {
    this.connection.consumed(this, bytes);
  }

  /**
   * The user works for this stream: until `release` it counts against the peer's limit of streams, even if the peer
   * resets it, and its unconsumed data stays charged. Without effect on a stream that is over.
   */
  hold(): void {
    if (!this.isClosed) this.state |= streamStates.held;
  }

  release(): void {
    this.connection.release(this);
  }
}
