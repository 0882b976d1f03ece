/** Streams that we have reset lately: what the peer had sent before it learnt of that is ignored (RFC 9113 §5.1, closed). */
export class RecentResets {
  readonly #capacity: number;
  #ids: Int32Array | null = null;
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(streamId: number): void {
    this.#ids ??= new Int32Array(this.#capacity);
    this.#ids[this.#next] = streamId;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  has(streamId: number): boolean {
    return this.#ids !== null && this.#ids.includes(streamId);
  }
}
