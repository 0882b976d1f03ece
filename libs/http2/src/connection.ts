import type { Duplex } from 'node:stream';
import { type CancelTimer, type Clock, IdTable, type Random } from '@shoal/core';
import { Budgets } from './budgets';
import { ConnectionFault, type ErrorCodeName, errorCodeName, errorCodes } from './errors';
import { defaultWindow, settingIds } from './frames/constants';
import { Output, type Released } from './frames/output';
import type { HeaderBlock } from './hpack/header-block';
import type { HeaderPairs, PreparedHeaders } from './hpack/prepared-headers';
import { type Http2Limits, compileLimits } from './limits';
import type { MemoryBudget } from './memory-budget';
import { Pings } from './pings';
import { Receiver, type ReceiverHost } from './receiver';
import { RecentResets } from './recent-resets';
import { Sender, type SenderEvents } from './sender';
import { type AbortReason, type Stream, type StreamOwner, streamStates } from './stream';
import { Watchdog, type Watched } from './watchdog';

/**
 * - `handshake`: the peer's settings, or its word on ours, have not come; streams may be opened nevertheless
 * - `open`
 * - `draining`: no new streams; ends when the last one has
 * - `closing`: GOAWAY is on its way, nothing is read any more
 * - `closed`: the socket is gone
 */
export type ConnectionState = 'handshake' | 'open' | 'draining' | 'closing' | 'closed';

/** Why a connection ended. */
export interface CloseReason {
  /** NO_ERROR for an orderly end. */
  readonly code: ErrorCodeName;
  /** For logs. */
  readonly message: string;
  /** What a user's handler threw, or the socket's error. */
  readonly cause?: unknown;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  /** For the jitter of the maximum age. */
  readonly random: Random;
  readonly limits?: Partial<Http2Limits>;
  /** Shared by connections: unconsumed bytes of all of them. */
  readonly memory?: MemoryBudget;
  /**
   * `receive` is called by whoever reads the socket, rather than on its 'data' events; for sockets with a static read buffer
   * (net.connect's `onread`), whose bytes are overwritten by the next read.
   */
  readonly readsAreFed?: boolean;
  /** Called once. Streams that were still open have been aborted before. */
  readonly onClosed?: (reason: CloseReason) => void;
}

/** How long a connection that said GOAWAY waits for the peer to close. */
const lingerMs = 1000;
const { closed, held, localClosed, remoteClosed } = streamStates;

/** What both roles have in common: frames in, frames out, the registry of streams. */
export abstract class Connection implements ReceiverHost, SenderEvents, StreamOwner, Watched {
  readonly limits: Http2Limits;
  readonly clock: Clock;
  /** Free for the user. */
  user: unknown = undefined;
  // For this room only, down to the constructor.
  readonly output: Output;
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly budgets: Budgets;
  readonly pings: Pings;
  readonly recentResets: RecentResets;
  readonly streams = new IdTable<Stream>();
  /** Something has come from the peer since the watchdog looked. */
  heard = true;
  /** The highest stream the peer has opened and we have looked at. */
  lastPeerStream = 0;
  readonly #socket: Duplex;
  readonly #onClosed: ((reason: CloseReason) => void) | undefined;
  readonly #watchdog: Watchdog;
  #state: ConnectionState = 'handshake';
  #reason: CloseReason = { code: 'NO_ERROR', message: 'the peer closed the connection' };
  /** Streams that are over while the user still works for them. */
  #heldClosed = 0;

  protected constructor(socket: Duplex, options: ConnectionOptions, isServer: boolean) {
    const limits = compileLimits(options.limits);
    this.limits = limits;
    this.clock = options.clock;
    this.#socket = socket;
    this.#onClosed = options.onClosed;
    this.output = new Output(
      socket,
      limits,
      () => this.#guard(() => this.sender.drained()),
      () => this.fail(new ConnectionFault('ENHANCE_YOUR_CALM', 'the peer does not read')),
    );
    this.sender = new Sender(this.output, this);
    this.receiver = new Receiver(this, limits, options.memory, isServer);
    this.budgets = new Budgets(limits);
    this.recentResets = new RecentResets(Math.min(limits.maxConcurrentStreams, 4096));
    this.pings = new Pings(this.output);
    this.#watchdog = new Watchdog(this, options.random);
    if (!options.readsAreFed) socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => this.#socketEnded());
    socket.on('error', (cause) => this.#closedBy({ code: 'CONNECT_ERROR', message: 'connection lost', cause }));
    socket.on('close', () => this.#closedBy(this.#reason));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Settings were exchanged and confirmed. */
  get isSettled(): boolean {
    return this.receiver.peer.isKnown && this.receiver.settingsAcked;
  }

  /** Streams that are open, or over and still worked for. */
  get activeStreams(): number {
    return this.streams.size + this.#heldClosed;
  }

  now(): number {
    return this.clock.now();
  }

  /** Reads a chunk from the socket. */
  receive(chunk: Buffer): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.heard = true;
    this.output.corked = true;
    try {
      this.receiver.reader.push(chunk);
    } catch (thrown) {
      this.fail(thrown);
    } finally {
      this.output.corked = false;
      this.output.flush();
    }
  }

  /** Ends the connection with GOAWAY (RFC 9113 §5.4.1), and with it every stream. */
  fail(thrown: unknown): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    const reason: CloseReason =
      thrown instanceof ConnectionFault
        ? { code: thrown.code, message: thrown.message }
        : { code: 'INTERNAL_ERROR', message: 'internal error', cause: thrown };
    this.#close(reason);
  }

  /** Ends the connection at once; open streams are aborted. */
  destroy(message = 'connection closed'): void {
    this.#closedBy({ code: 'NO_ERROR', message });
  }

  /** Asks the peer for a sign of life; `answered` is called with the round trip in milliseconds, if it ever comes. */
  ping(answered: (roundTripMs: number) => void): void {
    const sent = this.now();
    this.pings.send(() => answered(this.now() - sent));
  }

  /** No new streams, by either side; the connection ends when the last one has. */
  abstract drain(): void;

  // ---- what the roles do differently; for this room only, as is all that follows

  abstract readonly isServer: boolean;
  /** A complete header block of a stream. */
  abstract onBlock(streamId: number, ends: boolean, block: HeaderBlock, selfDependent: boolean): void;
  /** The stream has never been used (RFC 9113 §5.1, idle). */
  abstract isIdle(streamId: number): boolean;
  protected abstract onPeerGoAway(lastStreamId: number, code: number): void;
  protected abstract onPeerSettings(): void;
  protected abstract onStreamGone(stream: Stream): void;
  /** The peer did not send all it declared. */
  protected abstract isShort(stream: Stream): boolean;

  onGoAway(lastStreamId: number, code: number): void {
    if (code !== errorCodes.NO_ERROR) {
      this.#reason = { code: errorCodeName(code), message: 'the peer ended the connection with an error' };
    }
    this.onPeerGoAway(lastStreamId, code);
  }

  onSettings(): void {
    if (this.#state === 'handshake' && this.isSettled) this.#state = 'open';
    this.onPeerSettings();
  }

  /** A stream's data has waited too long for the peer: for the watchdog. */
  stalled(stream: Stream): void {
    this.failStream(stream, errorCodes.CANCEL);
  }

  /** What a side says first (RFC 9113 §3.4). */
  protected greet(settings: readonly (readonly [number, number])[]): void {
    const { limits } = this;
    this.output.settings([
      [settingIds.HEADER_TABLE_SIZE, limits.headerTable],
      [settingIds.INITIAL_WINDOW_SIZE, limits.streamWindow],
      [settingIds.MAX_FRAME_SIZE, limits.maxFrameSize],
      [settingIds.MAX_HEADER_LIST_SIZE, limits.maxHeaderList],
      ...settings,
    ]);
    if (limits.connectionWindow > defaultWindow) this.output.windowUpdate(0, limits.connectionWindow - defaultWindow);
    this.output.flush();
    this.#watchdog.start();
  }

  protected startDraining(): void {
    if (this.#state === 'handshake' || this.#state === 'open') this.#state = 'draining';
  }

  /** Ends a connection that has nothing left to do. */
  protected finishDraining(message: string): void {
    if (this.#state === 'draining' && this.activeStreams === 0) this.#close({ code: 'NO_ERROR', message });
  }

  /** A stream error (RFC 9113 §5.4.2): the peer's fault, so it is charged for it. */
  failStream(stream: Stream, code: number): void {
    this.resetStream(stream.id, code);
    this.abort(stream, { code, by: 'us', unprocessed: false });
    if (this.isServer) this.budgets.reset();
  }

  /** Says RST_STREAM, and remembers to ignore what is already on its way. */
  resetStream(streamId: number, code: number): void {
    this.recentResets.add(streamId);
    this.output.reset(streamId, code);
  }

  /** Ends a stream before its time and tells its user. */
  abort(stream: Stream, reason: AbortReason): void {
    if ((stream.state & closed) !== 0) return;
    this.#remove(stream);
    stream.handler.onAborted(stream, reason);
  }

  /** The peer has ended its side of a stream. */
  remoteEnd(stream: Stream): void {
    if (this.isShort(stream)) {
      this.failStream(stream, errorCodes.PROTOCOL_ERROR); // §8.1.1
      return;
    }
    stream.state |= remoteClosed;
    if ((stream.state & localClosed) !== 0) this.#finish(stream);
    stream.handler.onEnd(stream);
    // A client's user has all it will ever get; what it has not sent yet nobody wants.
    if (!this.isServer && (stream.state & closed) === 0) {
      this.resetStream(stream.id, errorCodes.NO_ERROR);
      this.#finish(stream);
    }
  }

  // ---- StreamOwner and SenderEvents

  sendHeaders(stream: Stream, prepared: PreparedHeaders | null, pairs: HeaderPairs | null, ends: boolean): void {
    this.sender.sendHeaders(stream, prepared, pairs, ends);
  }

  write(
    stream: Stream,
    data: Uint8Array,
    ends: boolean,
    prefix: Uint8Array | null,
    released: Released | null,
  ): boolean {
    return this.sender.write(stream, data, ends, prefix, released);
  }

  sendTrailers(stream: Stream, prepared: PreparedHeaders | null, pairs: HeaderPairs | null): void {
    this.sender.sendTrailers(stream, prepared, pairs);
  }

  localEnded(stream: Stream): void {
    if ((stream.state & remoteClosed) !== 0) this.#finish(stream);
    else if (this.isServer) {
      // §8.1: a whole response before the whole request; the rest is not wanted.
      this.resetStream(stream.id, errorCodes.NO_ERROR);
      this.#finish(stream);
    }
  }

  reset(stream: Stream, code: number): void {
    if ((stream.state & closed) !== 0) return;
    this.resetStream(stream.id, code);
    this.#remove(stream);
    if (this.isServer) this.#guard(() => this.budgets.reset());
  }

  consumed(stream: Stream, bytes: number): void {
    this.receiver.consumed(stream, bytes);
  }

  release(stream: Stream): void {
    if ((stream.state & held) === 0) return;
    stream.state &= ~held;
    if ((stream.state & closed) === 0) return;
    this.#heldClosed--;
    this.consumed(stream, stream.unconsumed);
    this.onStreamGone(stream);
  }

  // ---- ends

  /** Both sides have ended the stream. */
  #finish(stream: Stream): void {
    this.budgets.completed();
    this.#remove(stream);
  }

  #remove(stream: Stream): void {
    stream.state |= closed;
    this.streams.delete(stream.id);
    this.sender.drop(stream);
    if ((stream.state & held) !== 0) this.#heldClosed++;
    else {
      this.consumed(stream, stream.unconsumed);
      this.onStreamGone(stream);
    }
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #socketEnded(): void {
    // No half-closed connections: whoever stops sending gets no answers.
    this.#closedBy(this.#reason);
  }

  /** Says GOAWAY, gives the socket a moment to send it, and leaves. */
  #close(reason: CloseReason): void {
    this.#reason = reason;
    this.#state = 'closing';
    this.output.goAway(this.lastPeerStream, errorCodes[reason.code], reason.code === 'NO_ERROR' ? '' : reason.message);
    this.receiver.reader.stop();
    this.#watchdog.stop();
    this.#abortAll(reason);
    this.output.end();
    // An orderly end sends what is left; a fault does not wait for a peer that does not read.
    let cancel = this.#destroyIn(
      reason.code === 'NO_ERROR' ? Math.max(this.limits.stallTimeoutMs, lingerMs) : lingerMs,
    );
    this.#socket.once('finish', () => {
      cancel();
      cancel = this.#destroyIn(lingerMs);
    });
    this.#socket.once('close', () => cancel());
  }

  #destroyIn(ms: number): CancelTimer {
    return this.clock.schedule(ms, () => this.#socket.destroy());
  }

  #closedBy(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    const first = this.#state !== 'closing';
    this.#state = 'closed';
    this.receiver.reader.stop();
    this.#watchdog.stop();
    this.output.close();
    if (first) this.#abortAll(reason);
    this.#socket.destroy();
    this.#onClosed?.(first ? reason : this.#reason);
  }

  #abortAll(reason: CloseReason): void {
    const why: AbortReason = { code: errorCodes[reason.code], by: 'connection', unprocessed: false };
    for (const stream of this.streams.values()) {
      try {
        this.abort(stream, why);
      } catch (thrown) {
        // The connection is ending already; the others must learn of it too.
        this.#reason = { code: 'INTERNAL_ERROR', message: 'internal error', cause: thrown };
      }
    }
  }
}
