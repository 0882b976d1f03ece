import type { Duplex } from 'node:stream';
import { giveBuffer, takeBuffer } from './buffer-pool';
import { flags, frameHeaderLength, frameTypes } from './constants';

const empty = Buffer.alloc(0);

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

/**
 * The sending side of a connection: frames are written into one pooled buffer, which goes to the socket once a turn of the event
 * loop (at the end of a read, or in a microtask), because system calls are what costs most.
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
  #wasCongested = false;
  #closed = false;
  readonly #socket: Duplex;
  readonly #limits: OutputLimits;
  readonly #onDrained: () => void;
  readonly #onOverflow: () => void;
  /** Buffers the socket still holds, oldest first, and how many bytes of each. */
  readonly #inSocket: Buffer[] = [];
  readonly #inSocketBytes: number[] = [];
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
    if (this.pending + this.at < this.#limits.highWaterBytes) return false;
    this.#wasCongested = true;
    return true;
  }

  /** Makes room for `count` bytes at `at`, and sees to it that they are sent this turn. */
  reserve(count: number): void {
    if (this.at + count > this.bytes.length) {
      this.flush();
      if (count > this.bytes.length) this.bytes = takeBuffer(count);
    }
    if (!this.corked && !this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#flushSoon);
    }
  }

  flush(): void {
    const count = this.at;
    if (count === 0) return;
    const buffer = this.bytes;
    this.bytes = empty;
    this.at = 0;
    if (this.#closed || !this.#socket.writable) {
      giveBuffer(buffer);
      return;
    }
    this.pending += count;
    this.#inSocket.push(buffer);
    this.#inSocketBytes.push(count);
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
    this.at = 0;
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

  #release(): void {
    const buffer = this.#inSocket.shift();
    if (buffer === undefined) return;
    const count = this.#inSocketBytes.shift()!;
    this.pending -= count;
    this.taken += count;
    giveBuffer(buffer);
    if (this.#wasCongested && !this.#closed && !this.isCongested()) {
      this.#wasCongested = false;
      this.#onDrained();
    }
  }
}
