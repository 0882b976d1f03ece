/** A window we granted (RFC 9113 §5.2): it is refilled only as bytes are consumed, and in large steps. */
export class ReceiveWindow {
  readonly #size: number;
  #left: number;
  #consumed = 0;

  /**
   * @param size what we grant, in octets
   * @param left what the peer believes to have: more than that, before it knows our settings
   */
  constructor(size: number, left = size) {
    this.#size = size;
    this.#left = left;
  }

  /** Octets the peer may still send. */
  get left(): number {
    return this.#left;
  }

  /** The peer sent `bytes`; false when it was not allowed to. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0 || bytes === 0;
  }

  /** The peer has learnt that it has `bytes` less; that may be less than nothing (RFC 9113 §6.9.2). */
  shrink(bytes: number): void {
    this.#left -= bytes;
  }

  /** Gives `bytes` back; returns the increment to announce now, 0 while it is too small to be worth a frame. */
  consume(bytes: number): number {
    this.#consumed += bytes;
    if (this.#consumed * 2 < this.#size) return 0;
    const increment = this.#consumed;
    this.#consumed = 0;
    this.#left += increment;
    return increment;
  }
}
