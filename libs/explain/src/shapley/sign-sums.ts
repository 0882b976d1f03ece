import { bitCount } from '../games/bit-count';

/** Vectors that are kept before they are added up: as many as a word has bits. */
const most = 32;

/**
 * Σ w x xᵀ over vectors of signs, x = ±1. Two signs agree or they do not, so 32 vectors are added up by a few operations on the
 * bits of two words, for each pair of elements. Vectors of one weight are sums of whole numbers: exact in any order.
 */
export class SignSums {
  private readonly size: number;
  /** [size × size], lower triangle. */
  private readonly squares: Float64Array;
  /** Bit b of word i: element i of the b-th vector that waits is +1. */
  private readonly waiting: Int32Array;
  private count = 0;
  private weight = 1;
  private room: number;

  /** @param first vectors that are kept the first time: sums that are fed in turn need not all be added up in one turn */
  constructor(size: number, first = most) {
    this.size = size;
    this.room = first;
    this.squares = new Float64Array(size * size);
    this.waiting = new Int32Array(size);
  }

  /** A vector: +1 where the mask is 1. */
  add(mask: Uint8Array, weight: number): void {
    if (this.count === this.room || (this.count > 0 && this.weight !== weight)) this.flush();
    const { waiting, count } = this;
    for (let i = 0; i < waiting.length; i++) waiting[i] = (waiting[i] as number) | ((mask[i] as number) << count);
    this.weight = weight;
    this.count++;
  }

  /** The sums so far, [size × size], lower triangle. */
  sums(): Float64Array {
    this.flush();
    return this.squares;
  }

  private flush(): void {
    const { size, squares, waiting, count, weight } = this;
    if (count === 0) return;
    for (let i = 0; i < size; i++) {
      const own = waiting[i] as number;
      for (let j = 0, at = i * size; j <= i; j++, at++) {
        const differing = bitCount(own ^ (waiting[j] as number));
        squares[at] = (squares[at] as number) + weight * (count - 2 * differing);
      }
    }
    waiting.fill(0);
    this.count = 0;
    this.room = most;
  }
}
