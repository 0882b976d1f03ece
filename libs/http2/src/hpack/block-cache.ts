import type { HeaderBlock } from './header-block';

/** Blocks of a connection that repeat are short: all fields indexed, perhaps one literal. */
const maxBlock = 96;
const slots = 4;

/**
 * Remembers a few decoded blocks by their bytes. On a busy connection nearly every block is one of very few (a method's request
 * headers, its trailers), and comparing a dozen bytes is cheaper than decoding them. It holds only while the table stays as it was.
 */
export class BlockCache {
  readonly #bytes = Buffer.alloc(slots * maxBlock);
  readonly #lengths = new Int32Array(slots);
  readonly #generations = new Float64Array(slots).fill(-1);
  readonly #blocks: (HeaderBlock | null)[] = new Array<HeaderBlock | null>(slots).fill(null);

  find(bytes: Uint8Array, start: number, end: number, generation: number): HeaderBlock | null {
    const length = end - start;
    if (length === 0 || length > maxBlock) return null;
    const slot = slotOf(bytes, start, end);
    if (this.#lengths[slot] !== length || this.#generations[slot] !== generation) return null;
    const cached = this.#bytes;
    const base = slot * maxBlock;
    for (let i = 0; i < length; i++) if (cached[base + i] !== bytes[start + i]) return null;
    return this.#blocks[slot]!;
  }

  remember(bytes: Buffer, start: number, end: number, generation: number, block: HeaderBlock): void {
    const length = end - start;
    if (length === 0 || length > maxBlock) return;
    const slot = slotOf(bytes, start, end);
    bytes.copy(this.#bytes, slot * maxBlock, start, end);
    this.#lengths[slot] = length;
    this.#generations[slot] = generation;
    this.#blocks[slot] = block;
  }
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  return (bytes[end - 1]! ^ bytes[start + (length >> 1)]! ^ length) & (slots - 1);
}
