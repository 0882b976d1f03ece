/** Buffers below this come from malloc's own lists at no cost worth saving. */
export const minPooledBytes = 65_536;
/** Larger ones are rare, and would be most of what the pool may hold. */
const maxPooledBytes = 64 * 1024 * 1024;

/**
 * Memory for large messages, used again: a fresh buffer of some hundred kilobytes costs a system call, a page fault for each of its
 * pages and the collector's attention, more than all else that is done for the message.
 */
export class MessagePool {
  readonly #maxIdleBytes: number;
  /** Idle memory by the exponent of its size. */
  readonly #idle: ArrayBuffer[][] = Array.from({ length: 32 }, () => []);
  #idleBytes = 0;
  /** What is out; whoever gives back something else, or twice, changes nothing. */
  readonly #lent = new WeakSet<ArrayBuffer>();

  /** @param maxIdleBytes kept while nobody uses it */
  constructor(maxIdleBytes = 64 * 1024 * 1024) {
    this.#maxIdleBytes = maxIdleBytes;
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** A buffer of exactly `length` bytes, with whatever was in them. */
  take(length: number): Buffer {
    if (length < minPooledBytes || length > maxPooledBytes) return Buffer.allocUnsafe(length);
    const exponent = 32 - Math.clz32(length - 1);
    let memory = this.#idle[exponent]!.pop();
    if (memory === undefined) memory = Buffer.allocUnsafeSlow(2 ** exponent).buffer as ArrayBuffer;
    else this.#idleBytes -= memory.byteLength;
    this.#lent.add(memory);
    return Buffer.from(memory, 0, length);
  }

  /** Takes back a buffer, or a view of it, that nobody reads any more; without effect on what did not come from here. */
  give(buffer: Buffer): void {
    const memory = buffer.buffer as ArrayBuffer;
    if (!this.#lent.delete(memory)) return;
    const size = memory.byteLength; // 0 when it has been transferred to another thread
    if (size === 0 || this.#idleBytes + size > this.#maxIdleBytes) return;
    this.#idle[31 - Math.clz32(size)]!.push(memory);
    this.#idleBytes += size;
  }
}
