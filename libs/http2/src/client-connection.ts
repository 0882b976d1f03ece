import type { Duplex } from 'node:stream';
import { Connection, type ConnectionOptions } from './connection';
import { ConnectionFault, errorCodes } from './errors';
import { clientPreface, maxStreamId, settingIds } from './frames/constants';
import type { HeaderBlock } from './hpack/header-block';
import type { HeaderPairs, PreparedHeaders } from './hpack/prepared-headers';
import { Stream, type StreamHandler, streamStates } from './stream';

export interface ClientConnectionOptions extends ConnectionOptions {
  /** The server's settings have come: somebody is there who speaks HTTP/2. Called once. */
  readonly onReady?: () => void;
  /** `openStreams` was at its limit and is not any more. */
  readonly onCapacity?: () => void;
  /** The server takes no more streams here: open another connection. */
  readonly onDraining?: () => void;
}

/** Streams opened before the server's settings say how many it allows. */
const presumedConcurrentStreams = 100;
const { closed, headersReceived } = streamStates;

/** The asking side of a connection. */
export class ClientConnection extends Connection {
  readonly isServer = false;
  readonly #options: ClientConnectionOptions;
  #nextStream = 1;
  /** Somebody was told that there is no capacity. */
  #lacked = false;
  #drainStarted = false;
  #ready = false;

  constructor(socket: Duplex, options: ClientConnectionOptions) {
    super(socket, options, false);
    this.#options = options;
    this.output.raw(clientPreface);
    this.greet([[settingIds.ENABLE_PUSH, 0]]);
  }

  /** Whether `request` would open a stream now. */
  get hasCapacity(): boolean {
    return (
      (this.state === 'open' || this.state === 'handshake') &&
      this.#nextStream <= maxStreamId &&
      this.streams.size <
        (this.receiver.peer.isKnown ? this.receiver.peer.maxConcurrentStreams : presumedConcurrentStreams)
    );
  }

  /**
   * Opens a stream with its request headers; `ends` when there is no body. Null when the server allows no more streams
   * (`onCapacity` tells when it does), or takes none at all here (`state`).
   */
  request(
    prepared: PreparedHeaders | null,
    pairs: HeaderPairs | null,
    handler: StreamHandler,
    ends = false,
  ): Stream | null {
    if (!this.hasCapacity) {
      this.#lacked = true;
      return null;
    }
    const stream = new Stream(
      this,
      this.#nextStream,
      handler,
      this.receiver.peer.initialWindow,
      this.receiver.newWindow(),
    );
    // Headers first: where they are refused (INVALID_ARGUMENT), there is no stream.
    stream.sendHeaders(prepared, pairs, ends);
    this.#nextStream += 2;
    this.streams.set(stream.id, stream);
    if (this.#nextStream > maxStreamId) this.#draining();
    return stream;
  }

  /** Opens no more streams and ends the connection after the last. */
  override drain(): void {
    if (this.#drainStarted || this.state === 'closing' || this.state === 'closed') return;
    this.#drainStarted = true;
    this.output.goAway(0, errorCodes.NO_ERROR, '');
    this.startDraining();
    this.finishDraining('drained');
  }

  override onBlock(streamId: number, ends: boolean, block: HeaderBlock, selfDependent: boolean): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw new ConnectionFault('PROTOCOL_ERROR', 'HEADERS on an idle stream');
      this.budgets.glitch(); // crossed our reset
      return;
    }
    if (block.tooLarge) this.failStream(stream, errorCodes.ENHANCE_YOUR_CALM);
    else if (selfDependent) this.failStream(stream, errorCodes.PROTOCOL_ERROR);
    else if ((stream.state & headersReceived) === 0) this.#response(stream, ends, block);
    else if (!ends || !block.isTrailers) this.failStream(stream, errorCodes.PROTOCOL_ERROR);
    else {
      stream.handler.onTrailers?.(stream, block);
      if ((stream.state & closed) === 0) this.remoteEnd(stream);
    }
  }

  #response(stream: Stream, ends: boolean, block: HeaderBlock): void {
    const interim = block.status < 200;
    if (!block.isResponse || (interim && ends)) {
      this.failStream(stream, errorCodes.PROTOCOL_ERROR);
      return;
    }
    if (interim) {
      this.budgets.glitch();
      return;
    }
    stream.state |= headersReceived;
    stream.declared = block.contentLength;
    stream.handler.onHeaders?.(stream, block, ends);
    if (ends && (stream.state & closed) === 0) this.remoteEnd(stream);
  }

  protected override isShort(stream: Stream): boolean {
    // An answer to HEAD declares a length and has no data.
    return stream.declared >= 0 && stream.received > 0 && stream.declared !== stream.received;
  }

  override isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId >= this.#nextStream;
  }

  protected override onPeerGoAway(lastStreamId: number, code: number): void {
    // First, so that nobody who tries again tries it here.
    this.#draining();
    const unprocessed = { code, by: 'peer', unprocessed: true } as const;
    for (const stream of [...this.streams.values()]) if (stream.id > lastStreamId) this.abort(stream, unprocessed);
    this.finishDraining('the server went away');
  }

  protected override onPeerSettings(): void {
    if (!this.#ready && this.receiver.peer.isKnown) {
      this.#ready = true;
      this.#options.onReady?.();
    }
    this.#capacity();
  }

  protected override onStreamGone(): void {
    if (this.state === 'draining') this.finishDraining('drained');
    else this.#capacity();
  }

  #draining(): void {
    const before = this.state;
    this.startDraining();
    if (before !== this.state) this.#options.onDraining?.();
  }

  #capacity(): void {
    if (!this.#lacked || !this.hasCapacity) return;
    this.#lacked = false;
    this.#options.onCapacity?.();
  }
}
