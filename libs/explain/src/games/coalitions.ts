/** C(n, k), exact below 2^53; 0 outside 0 ≤ k ≤ n. */
export function binomial(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let value = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) value = (value * (n - Math.min(k, n - k) + i)) / i;
  return Math.round(value);
}

/** Weight of a marginal contribution to a coalition of `size` others, among `players`: s!(n−s−1)!/n!. */
export function shapleyWeight(players: number, size: number): number {
  return 1 / (players * binomial(players - 1, size));
}

/** Weight of a discrete second difference at a coalition of `size` others, for the Shapley interaction index of a pair. */
export function pairInteractionWeight(players: number, size: number): number {
  return 1 / ((players - 1) * binomial(players - 2, size));
}

/** The same, for the Shapley-Taylor index of order 2: (2/n)/C(n−1, t). */
export function taylorPairWeight(players: number, size: number): number {
  return 2 / (players * binomial(players - 1, size));
}

/** Turns `chosen`, k ascending indices below n, into the lexicographically next such choice; false after the last. */
export function nextCombination(chosen: Int32Array, n: number): boolean {
  const k = chosen.length;
  for (let i = k - 1; i >= 0; i--) {
    if ((chosen[i] as number) === n - k + i) continue;
    chosen[i] = (chosen[i] as number) + 1;
    for (let j = i + 1; j < k; j++) chosen[j] = (chosen[j - 1] as number) + 1;
    return true;
  }
  return false;
}

/** Writes coalition `index` (bit p: player p is present; at most 31 players) as bytes at `at`. */
export function writeBits(index: number, players: number, masks: Uint8Array, at: number): void {
  for (let p = 0; p < players; p++) masks[at + p] = (index >>> p) & 1;
}

/** The inverse of {@link writeBits}. */
export function bitsOf(masks: Uint8Array, at: number, players: number): number {
  let index = 0;
  for (let p = 0; p < players; p++) index |= (masks[at + p] as number) << p;
  return index >>> 0;
}
