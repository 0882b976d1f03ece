import type { BackWriter } from './back-writer';
import type { WallTime } from './wall-time';

const nanosPerSecond = 1_000_000_000n;

/** Writes clock times as wall-clock nanoseconds in 64 bits, which no double holds. */
export class WallStamp {
  readonly #wall: WallTime;
  /** Of the offset: whole ms, which are exact in a sum, and the fraction, which would be lost in one. */
  #offset = Number.NaN;
  #wholeMs = 0;
  #fractionMs = 0;
  /** The second of the last stamp, and its nanoseconds. */
  #second = -1;
  #high = 0;
  #low = 0;

  constructor(wall: WallTime) {
    this.#wall = wall;
  }

  write(writer: BackWriter, at: number): void {
    const { offset } = this.#wall;
    if (offset !== this.#offset) {
      this.#offset = offset;
      this.#wholeMs = Math.floor(offset);
      this.#fractionMs = offset - this.#wholeMs;
    }
    const exact = at + this.#fractionMs;
    const ms = Math.floor(exact);
    const epochMs = this.#wholeMs + ms;
    const second = Math.floor(epochMs / 1000);
    if (second !== this.#second) this.#turnTo(second);
    const low = this.#low + (epochMs - second * 1000) * 1e6 + Math.floor((exact - ms) * 1e6);
    writer.fixed32(low >= 2 ** 32 ? this.#high + 1 : this.#high);
    writer.fixed32(low);
  }

  #turnTo(second: number): void {
    this.#second = second;
    // A time that is none must not end the server.
    const nanos = second >= 0 && second < Number.MAX_SAFE_INTEGER ? BigInt(second) * nanosPerSecond : 0n;
    this.#high = Number(nanos >> 32n);
    this.#low = Number(nanos & 0xffff_ffffn);
  }
}
