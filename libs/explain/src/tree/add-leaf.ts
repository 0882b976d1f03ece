import type { Forest } from './forest';
import type { LeafPaths } from './leaf-paths';

/** Adds `perUnit` [slots] times a leaf's weights to [players × outputs]. */
export function addLeaf(
  forest: Forest,
  paths: LeafPaths,
  leaf: number,
  perUnit: Float64Array,
  into: Float64Array,
): void {
  const { targets, weights, weightStarts, outputs } = forest;
  const { slotStarts, slotPlayers } = paths;
  const first = slotStarts[leaf] as number;
  const end = slotStarts[leaf + 1] as number;
  for (let at = weightStarts[leaf] as number; at < (weightStarts[leaf + 1] as number); at += 1) {
    const weight = weights[at] as number;
    const target = targets[at] as number;
    for (let slot = first; slot < end; slot += 1) {
      const place = (slotPlayers[slot] as number) * outputs + target;
      into[place] = (into[place] as number) + weight * (perUnit[slot - first] as number);
    }
  }
}

/** Adds `perUnit` [slots × slots], above the diagonal, times a leaf's weights to [outputs × players × players], above the diagonal. */
export function addLeafPairs(
  forest: Forest,
  paths: LeafPaths,
  leaf: number,
  perUnit: Float64Array,
  into: Float64Array,
): void {
  const { targets, weights, weightStarts } = forest;
  const { slotStarts, slotPlayers, players } = paths;
  const first = slotStarts[leaf] as number;
  const slots = (slotStarts[leaf + 1] as number) - first;
  for (let at = weightStarts[leaf] as number; at < (weightStarts[leaf + 1] as number); at += 1) {
    const weight = weights[at] as number;
    const output = (targets[at] as number) * players * players;
    for (let i = 0; i < slots; i += 1)
      for (let j = i + 1; j < slots; j += 1) {
        const a = slotPlayers[first + i] as number;
        const b = slotPlayers[first + j] as number;
        const place = output + Math.min(a, b) * players + Math.max(a, b);
        into[place] = (into[place] as number) + weight * (perUnit[i * slots + j] as number);
      }
  }
}
