import type { Duplex } from 'node:stream';
import type { CancelTimer } from '@shoal/core';
import { Connection, type ConnectionOptions } from './connection';
import { ConnectionFault, errorCodes } from './errors';
import { maxStreamId, settingIds } from './frames/constants';
import type { HeaderBlock } from './hpack/header-block';
import { PreparedHeaders } from './hpack/prepared-headers';
import { Stream, type StreamHandler, streamStates } from './stream';

export interface ServerConnectionOptions extends ConnectionOptions {
  /**
   * A well-formed request has come. Returns who handles the rest; `ends` when nothing more of it comes (`onEnd` is called in any
   * case). It may answer at once. It must not throw.
   */
  readonly onRequest: (stream: Stream, block: HeaderBlock, ends: boolean) => StreamHandler;
}

/** How long a client may take to learn that the connection is going away before its last streams are counted all the same. */
const drainNoticeMs = 3000;
/** What it sent before it learned that may come after its answer to the ping: pings overtake requests that wait to be written. */
const drainSettleMs = 250;
const { closed, remoteClosed } = streamStates;
/** RFC 6585 §5. */
const headersTooLarge = new PreparedHeaders([':status', '431']);

const nobody: StreamHandler = {
  onData: (stream, _bytes, start, end) => stream.consumed(end - start),
  onEnd: () => undefined,
  onAborted: () => undefined,
};

/** The serving side of a connection. */
export class ServerConnection extends Connection {
  readonly isServer = true;
  readonly #onRequest: ServerConnectionOptions['onRequest'];
  #drainStarted = false;
  #cancelNotice: CancelTimer | undefined;
  /** After the final GOAWAY: no stream above it is looked at. */
  #lastAccepted: number = maxStreamId;

  constructor(socket: Duplex, options: ServerConnectionOptions) {
    super(socket, options, true);
    this.#onRequest = options.onRequest;
    socket.once('close', () => this.#cancelNotice?.());
    this.greet([[settingIds.MAX_CONCURRENT_STREAMS, this.limits.maxConcurrentStreams]]);
  }

  /**
   * Graceful shut-down (RFC 9113 §6.8): first a GOAWAY that only asks for no more, and when the client has had time to see it, one that
   * names the last stream that is served. The connection ends when that one has.
   */
  override drain(): void {
    if (this.#drainStarted || this.state === 'closing' || this.state === 'closed') return;
    this.#drainStarted = true;
    this.output.goAway(maxStreamId, errorCodes.NO_ERROR, '');
    this.#cancelNotice = this.clock.schedule(drainNoticeMs, () => this.#lastCall());
    this.pings.send(() => {
      this.#cancelNotice?.();
      this.#cancelNotice = this.clock.schedule(drainSettleMs, () => this.#lastCall());
    });
  }

  #lastCall(): void {
    this.#cancelNotice?.();
    if (this.#lastAccepted !== maxStreamId || this.state === 'closing' || this.state === 'closed') return;
    this.#lastAccepted = this.lastPeerStream;
    this.output.goAway(this.#lastAccepted, errorCodes.NO_ERROR, '');
    this.startDraining();
    this.finishDraining('drained');
  }

  override onBlock(streamId: number, ends: boolean, block: HeaderBlock, selfDependent: boolean): void {
    const known = this.streams.get(streamId);
    if (known !== undefined) this.#trailers(known, ends, block, selfDependent);
    else if ((streamId & 1) === 0) throw new ConnectionFault('PROTOCOL_ERROR', 'even stream from a client');
    else if (streamId > this.lastPeerStream) this.#request(streamId, ends, block, selfDependent);
    else if (this.recentResets.has(streamId)) this.budgets.glitch();
    else throw new ConnectionFault('STREAM_CLOSED', 'HEADERS on a closed stream');
  }

  #trailers(stream: Stream, ends: boolean, block: HeaderBlock, selfDependent: boolean): void {
    if ((stream.state & remoteClosed) !== 0) this.failStream(stream, errorCodes.STREAM_CLOSED);
    else if (!ends || !block.isTrailers || block.tooLarge || selfDependent)
      this.failStream(stream, errorCodes.PROTOCOL_ERROR);
    else {
      stream.handler.onTrailers?.(stream, block);
      if ((stream.state & closed) === 0) this.remoteEnd(stream);
    }
  }

  #request(streamId: number, ends: boolean, block: HeaderBlock, selfDependent: boolean): void {
    if (streamId > this.#lastAccepted) {
      this.budgets.glitch(); // the client has been told, and will ask elsewhere
      return;
    }
    this.lastPeerStream = streamId;
    const { limits, sender } = this;
    if (this.activeStreams >= limits.maxConcurrentStreams || sender.queuedBytes > limits.maxQueuedBytes) {
      this.resetStream(streamId, errorCodes.REFUSED_STREAM);
      this.budgets.glitch();
      return;
    }
    const stream = new Stream(this, streamId, nobody, this.receiver.peer.initialWindow, this.receiver.newWindow());
    stream.declared = block.contentLength;
    this.streams.set(streamId, stream);
    if (block.tooLarge) {
      if (ends) stream.state |= remoteClosed;
      stream.sendHeaders(headersTooLarge, null, true);
      return;
    }
    if (!block.isRequest || selfDependent) {
      this.failStream(stream, errorCodes.PROTOCOL_ERROR); // §8.1.1
      return;
    }
    stream.handler = this.#onRequest(stream, block, ends);
    if (ends && (stream.state & closed) === 0) this.remoteEnd(stream);
  }

  protected override isShort(stream: Stream): boolean {
    return stream.declared >= 0 && stream.declared !== stream.received;
  }

  override isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId > this.lastPeerStream;
  }

  protected override onPeerGoAway(): void {
    // The client opens no more streams; it closes the connection when it has its answers.
  }

  protected override onPeerSettings(): void {
    // Nothing waits for a client's settings.
  }

  protected override onStreamGone(): void {
    if (this.state === 'draining') this.finishDraining('drained');
  }
}
