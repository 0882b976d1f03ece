import { seededRandom } from '@shoal/core';
import { GameTable } from '@shoal/explain';

/** A smooth game with interactions of every order: a logistic of main effects and pairs, and its square; two outputs. */
export function logisticGame(players: number, seed: number): GameTable {
  const random = seededRandom(seed);
  const main = Array.from({ length: players }, () => 2 * random.next() - 1);
  const pairs = Array.from({ length: players * players }, () => (2 * random.next() - 1) / 2);
  const values = new Float64Array(2 ** players * 2);
  for (let set = 0; set < 2 ** players; set++) {
    let score = -0.5;
    for (let i = 0; i < players; i++) {
      if (((set >>> i) & 1) === 0) continue;
      score += main[i] as number;
      for (let j = 0; j < i; j++) if (((set >>> j) & 1) === 1) score += pairs[i * players + j] as number;
    }
    values[2 * set] = 1 / (1 + Math.exp(-score));
    values[2 * set + 1] = 3 + (values[2 * set] as number) ** 2;
  }
  return new GameTable(players, 2, values);
}
