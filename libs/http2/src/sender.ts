import { defaultWindow, flags, frameHeaderLength, frameTypes, minMaxFrameSize } from './frames/constants';
import { type Output, type Released, writeFrameHeader } from './frames/output';
import { HpackEncoder } from './hpack/encoder';
import { type HeaderPairs, type PreparedHeaders, measurePairs } from './hpack/prepared-headers';
import { SendQueue } from './send-queue';
import { type Stream, streamStates } from './stream';

const { awaitsWritable, closed, endQueued, headersSent, inLine, localClosed } = streamStates;

/** A stream sends about this much before it is the next one's turn. */
const quantum = 65_536;
/** Largest frame we send, whatever the peer allows: others get their turn. */
const maxSentFrame = quantum;
/** Larger data goes through a queue, by reference. */
const maxCopied = 16_384;
/** Table size updates in front of a block. */
const blockOverhead = 8;

export interface SenderEvents {
  /** END_STREAM has been written. */
  localEnded(stream: Stream): void;
  now(): number;
}

/** Everything that streams send: header blocks, and DATA under flow control (RFC 9113 §5.2), in turns. */
export class Sender {
  readonly encoder = new HpackEncoder();
  /** Octets of DATA the peer lets all streams together send. */
  window: number = defaultWindow;
  /** Octets of DATA in the queues of streams. */
  queuedBytes = 0;
  /** Streams with a queue. */
  readonly blocked = new Set<Stream>();
  #maxFrame: number = minMaxFrameSize;
  /** Streams that have DATA and a window of their own, in order of their turns. */
  #line: Stream[] = [];
  /** Streams whose queue is empty while the socket is congested, or still holds what they lent. */
  #awaitingDrain: Stream[] = [];
  #pumping = false;
  readonly #output: Output;
  readonly #events: SenderEvents;

  constructor(output: Output, events: SenderEvents) {
    this.#output = output;
    this.#events = events;
  }

  /** The peer's SETTINGS_MAX_FRAME_SIZE. */
  set peerMaxFrame(size: number) {
    this.#maxFrame = Math.min(size, maxSentFrame);
  }

  sendHeaders(stream: Stream, prepared: PreparedHeaders | null, pairs: HeaderPairs | null, ends: boolean): void {
    if ((stream.state & (closed | localClosed | endQueued)) !== 0) return;
    this.#writeBlock(stream.id, prepared, pairs, ends);
    stream.state |= headersSent;
    if (ends) this.#end(stream);
  }

  sendTrailers(stream: Stream, prepared: PreparedHeaders | null, pairs: HeaderPairs | null): void {
    const { queue } = stream;
    if (queue === null) {
      this.sendHeaders(stream, prepared, pairs, true);
      return;
    }
    if ((stream.state & (closed | localClosed | endQueued)) !== 0) return;
    if (pairs !== null) measurePairs(pairs);
    stream.state |= endQueued;
    queue.ends = true;
    queue.trailers = prepared;
    queue.trailerPairs = pairs;
  }

  write(
    stream: Stream,
    data: Uint8Array,
    ends: boolean,
    prefix: Uint8Array | null,
    released: Released | null,
  ): boolean {
    if ((stream.state & (closed | localClosed | endQueued)) !== 0) {
      released?.(data);
      return true;
    }
    const length = data.length + (prefix === null ? 0 : prefix.length);
    if (stream.queue === null) {
      const fits =
        length <= maxCopied && length <= stream.sendWindow && length <= this.window && length <= this.#maxFrame;
      if (length === 0 || (fits && !this.#output.isCongested())) {
        if (length > 0 || ends) this.#writeNow(stream, data, length, ends, prefix);
        released?.(data);
        return true;
      }
      stream.queue = new SendQueue(this.#events.now());
      this.blocked.add(stream);
    }
    this.#enqueue(stream, stream.queue, data, ends, prefix, released);
    this.windowOpened(stream);
    if (stream.queue === null && !this.#mustWait(stream)) return true;
    if (stream.queue === null && !stream.isClosed) this.#awaitDrain(stream);
    stream.state |= awaitsWritable;
    return false;
  }

  /** A stream with a queue may be able to send. */
  windowOpened(stream: Stream): void {
    if (stream.queue === null || stream.sendWindow <= 0) return;
    if ((stream.state & inLine) === 0) {
      stream.state |= inLine;
      this.#line.push(stream);
    }
    this.pump();
  }

  /** Sends what windows and the socket let pass. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#line.length > 0 && this.window > 0 && !this.#output.isCongested()) {
        const stream = this.#line.shift()!;
        stream.state &= ~inLine;
        this.#turn(stream);
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** The socket has taken something. */
  drained(): void {
    this.pump();
    const waiting = this.#awaitingDrain;
    if (waiting.length === 0) return;
    this.#awaitingDrain = [];
    for (const stream of waiting) {
      if (stream.queue !== null || stream.isClosed) continue;
      if (this.#mustWait(stream)) this.#awaitDrain(stream);
      else this.#tellWritable(stream);
    }
  }

  /** The stream is over: what it had queued is not sent. */
  drop(stream: Stream): void {
    const { queue } = stream;
    if (queue === null) return;
    this.queuedBytes -= queue.bytes;
    stream.queue = null;
    this.blocked.delete(stream);
    queue.drop(this.#output);
  }

  #mustWait(stream: Stream): boolean {
    return stream.lentUntil > this.#output.taken || this.#output.isCongested();
  }

  #awaitDrain(stream: Stream): void {
    this.#awaitingDrain.push(stream);
    this.#output.awaitDrain();
  }

  #enqueue(
    stream: Stream,
    queue: SendQueue,
    data: Uint8Array,
    ends: boolean,
    prefix: Uint8Array | null,
    released: Released | null,
  ): void {
    const before = queue.bytes;
    if (prefix !== null) queue.push(Uint8Array.prototype.slice.call(prefix), null);
    queue.push(data, released);
    this.queuedBytes += queue.bytes - before;
    if (!ends) return;
    queue.ends = true;
    stream.state |= endQueued;
  }

  #writeNow(stream: Stream, data: Uint8Array, length: number, ends: boolean, prefix: Uint8Array | null): void {
    const output = this.#output;
    output.reserve(frameHeaderLength + length);
    const out = output.bytes;
    let at = writeFrameHeader(out, output.at, length, frameTypes.DATA, ends ? flags.END_STREAM : 0, stream.id);
    if (prefix !== null) at = copyShort(prefix, out, at);
    at = data.length <= 64 ? copyShort(data, out, at) : copyLong(data, out, at);
    output.at = at;
    this.window -= length;
    stream.sendWindow -= length;
    if (ends) this.#end(stream);
  }

  /** One stream's turn. */
  #turn(stream: Stream): void {
    const { queue } = stream;
    if (queue === null) return;
    let left = quantum;
    while (queue.bytes > 0 && left > 0) {
      const length = Math.min(queue.bytes, stream.sendWindow, this.window, this.#maxFrame);
      if (length <= 0) break;
      this.#writeQueued(stream, queue, length);
      left -= length;
    }
    if (queue.bytes === 0) this.#emptied(stream, queue);
    else if (stream.sendWindow > 0) {
      stream.state |= inLine;
      this.#line.push(stream);
    }
  }

  #writeQueued(stream: Stream, queue: SendQueue, length: number): void {
    const output = this.#output;
    const last = length === queue.bytes && queue.ends && queue.trailers === null && queue.trailerPairs === null;
    output.reserve(frameHeaderLength);
    const frameFlags = last ? flags.END_STREAM : 0;
    output.at = writeFrameHeader(output.bytes, output.at, length, frameTypes.DATA, frameFlags, stream.id);
    if (queue.moveTo(output, length)) stream.lentUntil = output.position;
    this.window -= length;
    stream.sendWindow -= length;
    this.queuedBytes -= length;
  }

  #emptied(stream: Stream, queue: SendQueue): void {
    stream.queue = null;
    this.blocked.delete(stream);
    if (queue.ends) {
      if (queue.trailers !== null || queue.trailerPairs !== null) {
        this.#writeBlock(stream.id, queue.trailers, queue.trailerPairs, true);
      }
      this.#end(stream);
    } else if ((stream.state & awaitsWritable) !== 0) {
      if (this.#mustWait(stream)) this.#awaitDrain(stream);
      else this.#tellWritable(stream);
    }
  }

  #tellWritable(stream: Stream): void {
    if ((stream.state & awaitsWritable) === 0) return;
    stream.state &= ~awaitsWritable;
    if ((stream.state & (closed | localClosed)) === 0) stream.handler.onWritable?.(stream);
  }

  #end(stream: Stream): void {
    stream.state |= localClosed;
    this.#events.localEnded(stream);
  }

  /** HEADERS, and CONTINUATION where one frame is too short (§6.2, §6.10). */
  #writeBlock(streamId: number, prepared: PreparedHeaders | null, pairs: HeaderPairs | null, ends: boolean): void {
    const output = this.#output;
    const bound =
      blockOverhead + (prepared === null ? 0 : prepared.maxBytes) + (pairs === null ? 0 : measurePairs(pairs));
    const endFlag = ends ? flags.END_STREAM : 0;
    if (bound > this.#maxFrame) {
      this.#writeLongBlock(streamId, prepared, pairs, bound, endFlag);
      return;
    }
    output.reserve(frameHeaderLength + bound);
    const start = output.at;
    const end = this.encoder.encode(output.bytes, start + frameHeaderLength, prepared, pairs);
    const length = end - start - frameHeaderLength;
    writeFrameHeader(output.bytes, start, length, frameTypes.HEADERS, flags.END_HEADERS | endFlag, streamId);
    output.at = end;
  }

  #writeLongBlock(
    streamId: number,
    prepared: PreparedHeaders | null,
    pairs: HeaderPairs | null,
    bound: number,
    endFlag: number,
  ): void {
    const output = this.#output;
    const block = Buffer.allocUnsafe(bound);
    const end = this.encoder.encode(block, 0, prepared, pairs);
    for (let from = 0; from === 0 || from < end; from += this.#maxFrame) {
      const to = Math.min(from + this.#maxFrame, end);
      const type = from === 0 ? frameTypes.HEADERS : frameTypes.CONTINUATION;
      const frameFlags = (from === 0 ? endFlag : 0) | (to === end ? flags.END_HEADERS : 0);
      output.reserve(frameHeaderLength + to - from);
      const at = writeFrameHeader(output.bytes, output.at, to - from, type, frameFlags, streamId);
      output.at = at + block.copy(output.bytes, at, from, to);
    }
  }
}

function copyShort(from: Uint8Array, out: Uint8Array, at: number): number {
  // A loop is faster than a call into native code for a few dozen bytes.
  for (let i = 0; i < from.length; i++) out[at + i] = from[i]!;
  return at + from.length;
}

function copyLong(from: Uint8Array, out: Uint8Array, at: number): number {
  out.set(from, at);
  return at + from.length;
}
