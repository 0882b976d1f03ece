/**
 * Sums of a game's values by coalition size: over all coalitions, over those with player i, over those with i and j. All
 * indices that weigh coalitions by size alone (Shapley, Banzhaf, pairwise interactions) are linear in them, so a game of
 * 2^n values is taken in passing, without keeping it.
 */
export class SizeSums {
  private readonly players: number;
  /** [players+1]. */
  readonly all: Float64Array;
  /** [players × (players+1)]. */
  private readonly one: Float64Array;
  /** [players × players × (players+1)], i < j; empty unless pairs are asked for. */
  private readonly two: Float64Array;
  private readonly present: Int32Array;

  constructor(players: number, pairs: boolean) {
    this.players = players;
    this.all = new Float64Array(players + 1);
    this.one = new Float64Array(players * (players + 1));
    this.two = new Float64Array(pairs ? players * players * (players + 1) : 0);
    this.present = new Int32Array(players);
  }

  add(mask: Uint8Array, value: number): void {
    const { players, all, one, two, present } = this;
    let size = 0;
    for (let p = 0; p < players; p++) if (mask[p] === 1) present[size++] = p;
    all[size] = (all[size] as number) + value;
    for (let a = 0; a < size; a++) {
      const i = present[a] as number;
      const at = i * (players + 1) + size;
      one[at] = (one[at] as number) + value;
      if (two.length === 0) continue;
      for (let b = a + 1; b < size; b++) {
        const pair = (i * players + (present[b] as number)) * (players + 1) + size;
        two[pair] = (two[pair] as number) + value;
      }
    }
  }

  /** Σ over coalitions T of the others, of weight(|T|) · (v(T ∪ i) − v(T)). */
  marginals(i: number, weight: (size: number) => number): number {
    let sum = 0;
    for (let t = 0; t < this.players; t++) {
      const without = (this.all[t] as number) - this.with(i, t);
      sum += weight(t) * (this.with(i, t + 1) - without);
    }
    return sum;
  }

  /** Σ over coalitions T of the others, of weight(|T|) · (v(T ∪ ij) − v(T ∪ i) − v(T ∪ j) + v(T)). */
  seconds(i: number, j: number, weight: (size: number) => number): number {
    let sum = 0;
    for (let t = 0; t <= this.players - 2; t++) {
      const either = this.with(i, t + 1) + this.with(j, t + 1) - 2 * this.withBoth(i, j, t + 1);
      const neither = (this.all[t] as number) - this.with(i, t) - this.with(j, t) + this.withBoth(i, j, t);
      sum += weight(t) * (this.withBoth(i, j, t + 2) - either + neither);
    }
    return sum;
  }

  private with(i: number, size: number): number {
    return this.one[i * (this.players + 1) + size] as number;
  }

  private withBoth(i: number, j: number, size: number): number {
    const [a, b] = i < j ? [i, j] : [j, i];
    return this.two[(a * this.players + b) * (this.players + 1) + size] as number;
  }
}
