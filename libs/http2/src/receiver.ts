import type { IdTable } from '@shoal/core';
import type { Budgets } from './budgets';
import { ConnectionFault, errorCodes } from './errors';
import { ReceiveWindow } from './flow-control';
import { defaultHeaderTable, defaultWindow, flags, frameTypes, maxWindow, settingIds } from './frames/constants';
import { FrameReader, type FrameSink } from './frames/frame-reader';
import type { Output } from './frames/output';
import { HeaderAssembly } from './header-assembly';
import { HpackDecoder } from './hpack/decoder';
import type { HeaderBlock } from './hpack/header-block';
import type { Http2Limits } from './limits';
import type { MemoryBudget } from './memory-budget';
import { PeerSettings } from './peer-settings';
import type { Pings } from './pings';
import type { RecentResets } from './recent-resets';
import type { Sender } from './sender';
import { type AbortReason, type Stream, streamStates } from './stream';

/** The connection, as its receiver sees it. */
export interface ReceiverHost {
  readonly isServer: boolean;
  readonly budgets: Budgets;
  readonly output: Output;
  readonly sender: Sender;
  readonly pings: Pings;
  readonly recentResets: RecentResets;
  readonly streams: Pick<IdTable<Stream>, 'get' | 'values'>;
  /** A complete header block of a stream. */
  onBlock(streamId: number, ends: boolean, block: HeaderBlock, selfDependent: boolean): void;
  onGoAway(lastStreamId: number, code: number): void;
  /** The peer announced settings, or acknowledged ours. */
  onSettings(): void;
  /** The stream has never been used (RFC 9113 §5.1, idle). */
  isIdle(streamId: number): boolean;
  abort(stream: Stream, reason: AbortReason): void;
  failStream(stream: Stream, code: number): void;
  resetStream(streamId: number, code: number): void;
  remoteEnd(stream: Stream): void;
}

/** Window updates below this are worth less than they cost. */
const tinyIncrement = 64;
/** DATA frames below this are many for what they carry. */
const smallData = 1024;
const { closed, remoteClosed } = streamStates;

/** Everything that comes from the peer: the rules of each frame type (RFC 9113 §6), what it changes, and what it costs. */
export class Receiver implements FrameSink {
  readonly reader: FrameReader;
  readonly assembly: HeaderAssembly;
  readonly peer = new PeerSettings();
  /** The peer has acknowledged our settings. */
  settingsAcked = false;
  readonly #host: ReceiverHost;
  readonly #decoder: HpackDecoder;
  readonly #window: ReceiveWindow;
  readonly #memory: MemoryBudget | undefined;
  readonly #streamWindow: number;
  /** Of the DATA frame being read: its stream, if anybody wants it, and whether it ends it. */
  #dataStream: Stream | null = null;
  #dataEnds = false;

  constructor(host: ReceiverHost, limits: Http2Limits, memory: MemoryBudget | undefined, isServer: boolean) {
    this.#host = host;
    this.#memory = memory;
    this.#streamWindow = limits.streamWindow;
    this.reader = new FrameReader(this, limits.maxFrameSize, isServer);
    this.assembly = new HeaderAssembly(limits.maxHeaderBlock, limits.maxContinuations);
    this.#decoder = new HpackDecoder(Math.max(limits.headerTable, defaultHeaderTable), limits.maxHeaderList);
    this.#window = new ReceiveWindow(limits.connectionWindow);
  }

  /** The window of a new stream. Until the peer has acknowledged our settings, it may go by the defaults (RFC 9113 §6.5.3). */
  newWindow(): ReceiveWindow {
    const size = this.#streamWindow;
    return new ReceiveWindow(size, this.settingsAcked ? size : Math.max(size, defaultWindow));
  }

  /** The user is done with `bytes` of a stream's data, or nobody ever wanted them. */
  consumed(stream: Stream, bytes: number): void {
    const count = Math.min(bytes, stream.unconsumed);
    if (count <= 0) return;
    stream.unconsumed -= count;
    this.#memory?.release(count);
    this.#giveBack(count);
    if ((stream.state & (closed | remoteClosed)) !== 0) return;
    const increment = stream.receiveWindow.consume(count);
    if (increment > 0) this.#host.output.windowUpdate(stream.id, increment);
  }

  // ---- FrameSink: DATA (§6.1)

  dataStart(frameFlags: number, streamId: number, length: number, padding: number): void {
    this.#expectFrame(frameTypes.DATA, streamId);
    if (streamId === 0) throw new ConnectionFault('PROTOCOL_ERROR', 'DATA on stream 0');
    if (!this.#window.take(length)) throw new ConnectionFault('FLOW_CONTROL_ERROR', 'connection window exceeded');
    if (padding > 0) this.#giveBack(padding);
    this.#dataStream = null;
    this.#dataEnds = (frameFlags & flags.END_STREAM) !== 0;
    const stream = this.#host.streams.get(streamId);
    if (length === padding && !this.#dataEnds) this.#host.budgets.glitch();
    if (stream === undefined) this.#dataOnClosed(streamId, length);
    else if ((stream.state & remoteClosed) !== 0) this.#host.failStream(stream, errorCodes.STREAM_CLOSED);
    else if (!stream.receiveWindow.take(length)) this.#host.failStream(stream, errorCodes.FLOW_CONTROL_ERROR);
    else {
      this.#dataStream = stream;
      stream.received += length - padding;
      if (length > padding) this.#host.budgets.useful(1);
      if (padding > 0) {
        const increment = stream.receiveWindow.consume(padding);
        if (increment > 0) this.#host.output.windowUpdate(streamId, increment);
      }
    }
  }

  dataChunk(bytes: Buffer, start: number, end: number): void {
    const stream = this.#dataStream;
    const count = end - start;
    if (stream === null || (stream.state & closed) !== 0) {
      this.#giveBack(count);
      return;
    }
    if (this.#memory !== undefined && !this.#memory.reserve(count)) {
      this.#giveBack(count);
      this.#host.failStream(stream, errorCodes.ENHANCE_YOUR_CALM);
      return;
    }
    stream.unconsumed += count;
    stream.handler.onData(stream, bytes, start, end);
  }

  dataEnd(): void {
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (stream !== null && this.#dataEnds && (stream.state & (closed | remoteClosed)) === 0)
      this.#host.remoteEnd(stream);
  }

  // ---- FrameSink: all other frames

  frame(type: number, frameFlags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#expectFrame(type, streamId);
    switch (type) {
      case frameTypes.HEADERS:
        if (streamId === 0) throw new ConnectionFault('PROTOCOL_ERROR', 'HEADERS on stream 0');
        if (this.assembly.headers(frameFlags, streamId, bytes, start, end)) this.#block(streamId);
        break;
      case frameTypes.CONTINUATION:
        if (start === end) this.#host.budgets.glitch();
        if (this.assembly.continuation(frameFlags, bytes, start, end)) this.#block(streamId);
        break;
      case frameTypes.RST_STREAM:
        this.#rstStream(streamId, bytes, start, end);
        break;
      case frameTypes.WINDOW_UPDATE:
        this.#windowUpdate(streamId, bytes, start, end);
        break;
      case frameTypes.SETTINGS:
        this.#settings(frameFlags, streamId, bytes, start, end);
        break;
      case frameTypes.PING:
        this.#ping(frameFlags, streamId, bytes, start, end);
        break;
      case frameTypes.PRIORITY:
        this.#priority(streamId, bytes, start, end);
        break;
      case frameTypes.GOAWAY:
        if (streamId !== 0) throw new ConnectionFault('PROTOCOL_ERROR', 'GOAWAY on a stream');
        if (end - start < 8) throw new ConnectionFault('FRAME_SIZE_ERROR', 'GOAWAY length');
        this.#host.budgets.glitch();
        this.#host.onGoAway(bytes.readUInt32BE(start) & 0x7fffffff, bytes.readUInt32BE(start + 4));
        break;
      case frameTypes.PUSH_PROMISE: // §8.4: clients never push, and ours said that servers must not
        throw new ConnectionFault('PROTOCOL_ERROR', 'PUSH_PROMISE');
      default: // §5.5: unknown types are ignored
        this.#host.budgets.glitch();
    }
  }

  /** What may come at all: SETTINGS first (§3.4), and nothing inside a header block (§6.10). */
  #expectFrame(type: number, streamId: number): void {
    const { openStream } = this.assembly;
    if (openStream !== 0 && (type !== frameTypes.CONTINUATION || streamId !== openStream)) {
      throw new ConnectionFault('PROTOCOL_ERROR', 'frame inside a header block');
    }
    if (!this.peer.isKnown && type !== frameTypes.SETTINGS) {
      throw new ConnectionFault('PROTOCOL_ERROR', 'the first frame must be SETTINGS');
    }
  }

  #block(streamId: number): void {
    const { assembly } = this;
    const block = this.#decoder.decode(assembly.bytes, assembly.start, assembly.end);
    assembly.done();
    // A few bytes of references can stand for megabytes: charged by what they stand for, though none of it is kept.
    if (block.tooLarge) this.#host.budgets.glitch(1 + (block.size >> 14));
    this.#host.onBlock(streamId, assembly.endStream, block, assembly.selfDependent);
  }

  #rstStream(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionFault('FRAME_SIZE_ERROR', 'RST_STREAM length');
    if (streamId === 0 || this.#host.isIdle(streamId))
      throw new ConnectionFault('PROTOCOL_ERROR', 'RST_STREAM of an idle stream');
    const stream = this.#host.streams.get(streamId);
    if (stream === undefined) {
      this.#host.budgets.glitch();
      return;
    }
    const code = bytes.readUInt32BE(start);
    this.#host.abort(stream, { code, by: 'peer', unprocessed: code === errorCodes.REFUSED_STREAM });
    if (this.#host.isServer) this.#host.budgets.reset();
  }

  #windowUpdate(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionFault('FRAME_SIZE_ERROR', 'WINDOW_UPDATE length');
    const increment = bytes.readUInt32BE(start) & 0x7fffffff;
    if (increment < tinyIncrement) this.#host.budgets.glitch();
    const { sender } = this.#host;
    if (streamId === 0) {
      if (increment === 0) throw new ConnectionFault('PROTOCOL_ERROR', 'WINDOW_UPDATE of 0');
      sender.window += increment;
      if (sender.window > maxWindow) throw new ConnectionFault('FLOW_CONTROL_ERROR', 'connection window too large');
      sender.pump();
      return;
    }
    const stream = this.#host.streams.get(streamId);
    if (stream === undefined) {
      if (this.#host.isIdle(streamId)) throw new ConnectionFault('PROTOCOL_ERROR', 'WINDOW_UPDATE of an idle stream');
      this.#host.budgets.glitch();
      return;
    }
    if (increment === 0) this.#host.failStream(stream, errorCodes.PROTOCOL_ERROR);
    else if (stream.sendWindow + increment > maxWindow) this.#host.failStream(stream, errorCodes.FLOW_CONTROL_ERROR);
    else {
      stream.sendWindow += increment;
      sender.windowOpened(stream);
    }
  }

  #settings(frameFlags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw new ConnectionFault('PROTOCOL_ERROR', 'SETTINGS on a stream');
    if ((frameFlags & flags.ACK) !== 0) {
      if (end > start) throw new ConnectionFault('FRAME_SIZE_ERROR', 'SETTINGS acknowledgement with a payload');
      if (!this.settingsAcked) this.#acknowledged();
      this.#host.onSettings();
      return;
    }
    if (this.peer.isKnown) this.#host.budgets.glitch();
    const { peer } = this;
    const { sender } = this.#host;
    const before = peer.initialWindow;
    peer.read(bytes, start, end, !this.#host.isServer, (id) => {
      if (id === settingIds.HEADER_TABLE_SIZE) sender.encoder.peerTableSize = peer.headerTableSize;
    });
    sender.peerMaxFrame = peer.maxFrameSize;
    this.#host.output.settingsAck();
    // Before anybody hears of it and opens streams that have the new window already.
    if (peer.initialWindow !== before) this.#moveWindows(peer.initialWindow - before);
    this.#host.onSettings();
  }

  #acknowledged(): void {
    this.settingsAcked = true;
    const believed = defaultWindow - this.#streamWindow;
    if (believed > 0) for (const stream of this.#host.streams.values()) stream.receiveWindow.shrink(believed);
  }

  /** §6.9.2: a new initial window moves every stream's, even below zero. */
  #moveWindows(delta: number): void {
    for (const stream of this.#host.streams.values()) {
      stream.sendWindow += delta;
      if (stream.sendWindow > maxWindow) throw new ConnectionFault('FLOW_CONTROL_ERROR', 'stream window too large');
    }
    if (delta > 0) for (const stream of [...this.#host.sender.blocked]) this.#host.sender.windowOpened(stream);
  }

  #ping(frameFlags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw new ConnectionFault('PROTOCOL_ERROR', 'PING on a stream');
    if (end - start !== 8) throw new ConnectionFault('FRAME_SIZE_ERROR', 'PING length');
    if ((frameFlags & flags.ACK) !== 0) {
      if (!this.#host.pings.answered(bytes, start)) this.#host.budgets.glitch();
      return;
    }
    this.#host.budgets.glitch();
    this.#host.output.ping(flags.ACK, bytes, start);
  }

  /** Deprecated, so only checked (§5.3.2, §6.3). */
  #priority(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw new ConnectionFault('PROTOCOL_ERROR', 'PRIORITY on stream 0');
    this.#host.budgets.glitch();
    let code: number = errorCodes.FRAME_SIZE_ERROR;
    if (end - start === 5) {
      if ((bytes.readUInt32BE(start) & 0x7fffffff) !== streamId) return;
      code = errorCodes.PROTOCOL_ERROR;
    }
    const stream = this.#host.streams.get(streamId);
    if (stream !== undefined) this.#host.failStream(stream, code);
    else this.#host.resetStream(streamId, code);
  }

  #dataOnClosed(streamId: number, length: number): void {
    const { budgets, output, recentResets } = this.#host;
    if (this.#host.isIdle(streamId)) throw new ConnectionFault('PROTOCOL_ERROR', 'DATA on an idle stream');
    if (recentResets.has(streamId)) {
      // Under way when we reset the stream. A windowful of full frames may be; many small ones are a flood.
      if (length < smallData) budgets.glitch();
      return;
    }
    budgets.glitch();
    output.reset(streamId, errorCodes.STREAM_CLOSED);
  }

  #giveBack(bytes: number): void {
    const increment = this.#window.consume(bytes);
    if (increment > 0) this.#host.output.windowUpdate(0, increment);
  }
}
