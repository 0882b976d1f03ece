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
  #first = 0;
  #offset = 0;

  constructor(now: number) {
    this.watchedSince = now;
  }

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  /** Moves `count` octets, of which there are enough, to `out[at..]`. */
  moveTo(out: Uint8Array, at: number, count: number): void {
    this.bytes -= count;
    this.sentSince += count;
    while (count > 0) {
      const piece = this.#pieces[this.#first]!;
      const part = Math.min(count, piece.length - this.#offset);
      out.set(piece.subarray(this.#offset, this.#offset + part), at);
      at += part;
      count -= part;
      this.#offset += part;
      if (this.#offset === piece.length) this.#next();
    }
  }

  #next(): void {
    this.#offset = 0;
    this.#pieces[this.#first++] = nothing;
    if (this.#first * 2 < this.#pieces.length) return;
    this.#pieces.splice(0, this.#first);
    this.#first = 0;
  }
}

const nothing = new Uint8Array(0);
