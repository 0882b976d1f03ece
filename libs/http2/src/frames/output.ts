import type { Duplex } from 'node:stream';
import { giveBuffer, takeBuffer } from './buffer-pool';
import { flags, frameHeaderLength, frameTypes } from './constants';

const empty = Buffer.alloc(0);
/** A turn's output is given to the socket in parts of about this size: it tells of its progress by the part. */
const batchBytes = 262_144;

/** Writes the nine octets of a frame header (RFC 9113 §4.1) and returns the position behind them. */
export function writeFrameHeader(
  out: Uint8Array,
  at: number,
  length: number,
  type: number,
  frameFlags: number,
  streamId: number,
): number {
  out[at] = length >> 16;
  out[at + 1] = length >> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = frameFlags;
  out[at + 5] = streamId >> 24;
  out[at + 6] = streamId >> 16;
  out[at + 7] = streamId >> 8;
  out[at + 8] = streamId;
  return at + frameHeaderLength;
}

export interface OutputLimits {
  /** Bytes waiting for the socket from which on DATA waits where it is. */
  readonly highWaterBytes: number;
  /** Bytes waiting for the socket that no honest peer lets pile up: `onOverflow`. */
  readonly maxPendingBytes: number;
}

/** Told when nobody looks at some bytes any more: they have been sent, or never will be. */
export type Released = (data: Uint8Array) => void;

/** What is given to the socket at once and comes back at once. */
interface Batch {
  readonly bytes: number;
  readonly buffer: Buffer;
  /** The other pooled buffers of a batch that has several. */
  readonly more: readonly Buffer[] | null;
}

interface Loan {
  readonly data: Uint8Array;
  /** Over once so many bytes have been taken. */
  readonly until: number;
  readonly released: Released;
}

/**
 * The sending side of a connection: frames are written into pooled buffers, large data is taken by reference, and all of it goes to
 * the socket once a turn of the event loop (at the end of a read, or in a microtask), because system calls are what costs most.
 */
export class Output {
  /** The buffer being filled, and how far; only after `reserve`. */
  bytes: Buffer = empty;
  at = 0;
  /** Bytes given to the socket that the system has not taken yet. */
  pending = 0;
  /** Bytes the system has ever taken: progress. */
  taken = 0;
  /** While true, flushing is somebody else's job: the read that is going on ends with a flush. */
  corked = false;
  #scheduled = false;
  #awaited = false;
  #closed = false;
  readonly #socket: Duplex;
  readonly #limits: OutputLimits;
  readonly #onDrained: () => void;
  readonly #onOverflow: () => void;
  /** Of this turn: pieces in front of `bytes[#from..at)`, and how many bytes. */
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  #from = 0;
  #full: Buffer[] = [];
  readonly #loans: Loan[] = [];
  /** What the socket holds, oldest first. */
  readonly #inSocket: Batch[] = [];
  readonly #flushSoon: () => void;
  readonly #written: () => void;

  constructor(socket: Duplex, limits: OutputLimits, onDrained: () => void, onOverflow: () => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onDrained = onDrained;
    this.#onOverflow = onOverflow;
    this.#flushSoon = () => {
      this.#scheduled = false;
      this.flush();
    };
    this.#written = () => this.#release();
  }

  /** DATA has to wait for the socket. */
  isCongested(): boolean {
    if (this.pending + this.#waiting < this.#limits.highWaterBytes) return false;
    this.#awaited = true;
    return true;
  }

  /** Bytes ever written here: once `taken` has come so far, nothing that has been lent is looked at any more. */
  get position(): number {
    return this.taken + this.pending + this.#waiting;
  }

  /** `onDrained` is to be called when the socket has taken something, and is not congested. */
  awaitDrain(): void {
    this.#awaited = true;
  }

  /** Makes room for `count` bytes at `at`, and sees to it that they are sent this turn. */
  reserve(count: number): void {
    if (this.at + count > this.bytes.length) {
      if (this.at > 0) this.#next();
      if (count > this.bytes.length) {
        giveBuffer(this.bytes);
        this.bytes = takeBuffer(count);
      }
    }
    if (!this.corked && !this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#flushSoon);
    }
  }

  /** Puts `data` behind what has been written, by reference: it must not change before it is released. After `reserve`. */
  lend(data: Uint8Array): void {
    this.#cut();
    this.#pieces.push(data);
    this.#piecesBytes += data.length;
    if (this.#piecesBytes >= batchBytes) this.flush();
  }

  /** Calls `released(data)` once nothing that has been lent so far is looked at any more. */
  releaseLater(data: Uint8Array, released: Released): void {
    const until = this.position;
    if (until === this.taken || this.#closed) released(data);
    else this.#loans.push({ data, until, released });
  }

  flush(): void {
    if (this.#pieces.length > 0) {
      this.#flushPieces();
      return;
    }
    const count = this.at;
    if (count === 0) return;
    const buffer = this.bytes;
    this.bytes = empty;
    this.at = 0;
    if (this.#closed || !this.#socket.writable) {
      giveBuffer(buffer);
      return;
    }
    this.#give({ bytes: count, buffer, more: null });
    this.#socket.write(buffer.subarray(0, count), this.#written);
    if (this.pending > this.#limits.maxPendingBytes) this.#onOverflow();
  }

  /** Everything that is to be said has been said: the socket ends when it has been sent. */
  end(): void {
    this.flush();
    this.#closed = true;
    this.#socket.end();
  }

  /** Nothing more is sent. */
  close(): void {
    this.#closed = true;
    this.#drop();
    giveBuffer(this.bytes);
    this.bytes = empty;
  }

  settings(pairs: readonly (readonly [number, number])[]): void {
    const length = pairs.length * 6;
    this.reserve(frameHeaderLength + length);
    let at = writeFrameHeader(this.bytes, this.at, length, frameTypes.SETTINGS, 0, 0);
    for (const [id, value] of pairs) {
      this.bytes.writeUInt16BE(id, at);
      this.bytes.writeUInt32BE(value, at + 2);
      at += 6;
    }
    this.at = at;
  }

  settingsAck(): void {
    this.reserve(frameHeaderLength);
    this.at = writeFrameHeader(this.bytes, this.at, 0, frameTypes.SETTINGS, flags.ACK, 0);
  }

  /** A PING with the eight octets at `payload[start..]`. */
  ping(frameFlags: number, payload: Buffer, start: number): void {
    this.reserve(frameHeaderLength + 8);
    const at = writeFrameHeader(this.bytes, this.at, 8, frameTypes.PING, frameFlags, 0);
    payload.copy(this.bytes, at, start, start + 8);
    this.at = at + 8;
  }

  reset(streamId: number, code: number): void {
    this.#word(frameTypes.RST_STREAM, streamId, code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#word(frameTypes.WINDOW_UPDATE, streamId, increment);
  }

  goAway(lastStreamId: number, code: number, why: string): void {
    const debug = Buffer.from(why, 'utf8');
    this.reserve(frameHeaderLength + 8 + debug.length);
    let at = writeFrameHeader(this.bytes, this.at, 8 + debug.length, frameTypes.GOAWAY, 0, 0);
    at = this.bytes.writeUInt32BE(lastStreamId, at);
    at = this.bytes.writeUInt32BE(code, at);
    this.at = at + debug.copy(this.bytes, at);
  }

  /** The client's preface goes in front of everything else. */
  raw(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.at += bytes.copy(this.bytes, this.at);
  }

  #word(type: number, streamId: number, word: number): void {
    this.reserve(frameHeaderLength + 4);
    const at = writeFrameHeader(this.bytes, this.at, 4, type, 0, streamId);
    this.at = this.bytes.writeUInt32BE(word, at);
  }

  get #waiting(): number {
    return this.#piecesBytes + this.at - this.#from;
  }

  /** What was written since the last piece becomes one. */
  #cut(): void {
    if (this.at === this.#from) return;
    this.#pieces.push(this.bytes.subarray(this.#from, this.at));
    this.#piecesBytes += this.at - this.#from;
    this.#from = this.at;
  }

  /** Goes on in another buffer. */
  #next(): void {
    if (this.#waiting >= batchBytes) {
      this.flush();
      return;
    }
    this.#cut();
    this.#full.push(this.bytes);
    this.bytes = empty;
    this.at = 0;
    this.#from = 0;
  }

  #flushPieces(): void {
    this.#cut();
    if (this.#closed || !this.#socket.writable) {
      this.#drop();
      return;
    }
    const pieces = this.#pieces;
    this.#give({ bytes: this.#piecesBytes, buffer: this.bytes, more: this.#full });
    this.bytes = empty;
    this.#forget();
    this.#socket.cork();
    for (let i = 0; i < pieces.length - 1; i++) this.#socket.write(pieces[i]!);
    this.#socket.write(pieces.at(-1)!, this.#written);
    this.#socket.uncork();
    if (this.pending > this.#limits.maxPendingBytes) this.#onOverflow();
  }

  #give(batch: Batch): void {
    this.pending += batch.bytes;
    this.#inSocket.push(batch);
  }

  /** What waits is never sent. */
  #drop(): void {
    for (const buffer of this.#full) giveBuffer(buffer);
    this.#forget();
    this.#settleLoans(this.taken + this.pending, Infinity);
  }

  #forget(): void {
    this.at = 0;
    this.#from = 0;
    if (this.#pieces.length === 0) return;
    this.#pieces = [];
    this.#piecesBytes = 0;
    this.#full = [];
  }

  /** Ends the loans that are over after more than `from` and at most `to` bytes. */
  #settleLoans(from: number, to: number): void {
    for (let i = 0; i < this.#loans.length;) {
      const { data, until, released } = this.#loans[i]!;
      if (until <= from || until > to) i += 1;
      else {
        this.#loans.splice(i, 1);
        released(data);
      }
    }
  }

  #release(): void {
    const batch = this.#inSocket.shift();
    if (batch === undefined) return;
    this.pending -= batch.bytes;
    this.taken += batch.bytes;
    giveBuffer(batch.buffer);
    if (batch.more !== null) for (const buffer of batch.more) giveBuffer(buffer);
    if (this.#loans.length > 0) this.#settleLoans(-1, this.taken);
    if (this.#awaited && !this.#closed && this.pending + this.#waiting < this.#limits.highWaterBytes) {
      this.#awaited = false;
      this.#onDrained();
    }
  }
}
