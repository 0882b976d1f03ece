import type { Output } from './frames/output';

/** No more than this many of ours are under way; more would be our own flood. */
const maxOutstanding = 16;

/** PINGs of ours and who waits for their answers (RFC 9113 §6.7). */
export class Pings {
  readonly #output: Output;
  readonly #waiting = new Map<number, () => void>();
  #next = 1;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Sends one; where too many are unanswered, it is not sent and never answered. */
  send(answered: () => void): void {
    if (this.#waiting.size >= maxOutstanding) return;
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(this.#next, 4);
    this.#waiting.set(this.#next, answered);
    this.#next = (this.#next + 1) >>> 0;
    this.#output.ping(0, payload, 0);
  }

  /** Takes an acknowledgement; false when nobody had asked for it. */
  answered(bytes: Buffer, start: number): boolean {
    const number = bytes.readUInt32BE(start) === 0 ? bytes.readUInt32BE(start + 4) : 0;
    const answered = this.#waiting.get(number);
    if (answered === undefined) return false;
    this.#waiting.delete(number);
    answered();
    return true;
  }
}
