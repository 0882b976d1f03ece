/** Smaller batches come from malloc's own lists, at no cost worth saving. */
export const pooledFromBytes = 64 * 1024;

/** What is kept while nobody uses it, in bytes and in pieces. */
const maxIdleBytes = 64 * 2 ** 20;
const maxIdle = 8;

/** Lengths are rounded up to this, so that batches of about the same size use each other's memory. */
const granule = 64 * 1024;

/**
 * Half a page, by which a batch begins behind its memory's beginning, which for large memory is near that of a page: as
 * clients' tensors are in theirs. Some processors copy at a fifth of their speed when the target lies up to 64 bytes
 * beyond the source modulo a page.
 */
const shift = 2048;

/**
 * Memory for batches' inputs, used again: fresh memory costs a page fault for each of its pages, and the collector's
 * attention, which is more than it costs to fill it.
 */
export class BatchMemory {
  /** In the order in which they came back. */
  #idle: ArrayBuffer[] = [];
  #idleBytes = 0;

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Room for so many bytes, with whatever was in them. Throws RangeError when there is no memory. */
  take(byteLength: number): Uint8Array {
    if (byteLength < pooledFromBytes) return new Uint8Array(byteLength);
    const needed = byteLength + shift;
    let best = -1;
    this.#idle.forEach((memory, i) => {
      // One that is much larger would be missed by those that need it.
      const fits = memory.byteLength >= needed && memory.byteLength <= 2 * needed;
      if (fits && (best < 0 || memory.byteLength < (this.#idle[best] as ArrayBuffer).byteLength)) best = i;
    });
    const [memory] = best < 0 ? [] : this.#idle.splice(best, 1);
    if (memory) this.#idleBytes -= memory.byteLength;
    const found = memory ?? Buffer.allocUnsafeSlow(Math.ceil(needed / granule) * granule).buffer;
    return new Uint8Array(found, shift, byteLength);
  }

  /** Nobody reads what was taken, or another buffer, any more. */
  give(buffer: ArrayBuffer): void {
    // 0 when it was handed to a thread that did not give it back.
    if (buffer.byteLength < pooledFromBytes + shift || buffer.byteLength > maxIdleBytes) return;
    this.#idle.push(buffer);
    this.#idleBytes += buffer.byteLength;
    while (this.#idle.length > maxIdle || this.#idleBytes > maxIdleBytes) {
      this.#idleBytes -= this.#idle.shift()?.byteLength ?? 0;
    }
  }
}
