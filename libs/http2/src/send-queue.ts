import type { Output, Released } from './frames/output';
import type { HeaderPairs, PreparedHeaders } from './hpack/prepared-headers';

/** What a stream has been told to send and may not send yet. Bytes are held by reference until then. */
export class SendQueue {
  /** Octets of DATA that wait. */
  bytes = 0;
  /** The stream ends behind them: with the last DATA frame, or with `trailers`. */
  ends = false;
  trailers: PreparedHeaders | null = null;
  trailerPairs: HeaderPairs | null = null;
  /** For the watchdog: when progress was last found enough, and the octets sent since. */
  watchedSince: number;
  sentSince = 0;
  #pieces: Uint8Array[] = [];
  #released: (Released | null)[] = [];
  #first = 0;
  #offset = 0;

  constructor(now: number) {
    this.watchedSince = now;
  }

  push(piece: Uint8Array, released: Released | null): void {
    if (piece.length === 0) {
      released?.(piece);
      return;
    }
    this.#pieces.push(piece);
    this.#released.push(released);
    this.bytes += piece.length;
  }

  /** Moves `count` octets, of which there are enough, to the output: large pieces by reference. True if there were such. */
  moveTo(output: Output, count: number): boolean {
    let lent = false;
    this.bytes -= count;
    this.sentSince += count;
    while (count > 0) {
      const piece = this.#pieces[this.#first]!;
      const part = Math.min(count, piece.length - this.#offset);
      const bytes = part === piece.length ? piece : piece.subarray(this.#offset, this.#offset + part);
      if (part >= leastLent) {
        output.reserve(0);
        output.lend(bytes);
        lent = true;
      } else {
        output.reserve(part);
        output.bytes.set(bytes, output.at);
        output.at += part;
      }
      count -= part;
      this.#offset += part;
      if (this.#offset === piece.length) this.#next(output);
    }
    return lent;
  }

  /** Nothing more of it is sent. */
  drop(output: Output): void {
    // Of the first piece some may be on its way.
    for (let i = this.#first; i < this.#pieces.length; i += 1) {
      const released = this.#released[i];
      if (released) output.releaseLater(this.#pieces[i]!, released);
    }
  }

  #next(output: Output): void {
    const piece = this.#pieces[this.#first]!;
    const released = this.#released[this.#first];
    this.#offset = 0;
    this.#pieces[this.#first] = nothing;
    this.#released[this.#first++] = null;
    if (this.#first * 2 >= this.#pieces.length) {
      this.#pieces.splice(0, this.#first);
      this.#released.splice(0, this.#first);
      this.#first = 0;
    }
    if (released) output.releaseLater(piece, released);
  }
}

const nothing = new Uint8Array(0);
/** Octets in one piece that are worth a piece of their own in a system call rather than a copy. */
const leastLent = 8192;
