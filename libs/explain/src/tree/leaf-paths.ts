import { type Forest, goesTrue, nodeMode } from './forest';
import { tooLarge, treeLimits } from './limits';

/**
 * What lies between the roots and the leaves. Each different player (feature) on the way to a leaf has a slot there, numbered
 * from the root down, so that below a node its slot is the same for all leaves and a row's way fits into a few bits.
 */
export interface LeafPaths {
  readonly players: number;
  /** 32-bit words that hold one leaf's slots. */
  readonly words: number;
  /** The slot of each branch's player. */
  readonly slot: Int32Array;
  /** Leaf l has the players at slotStarts[l] up to slotStarts[l + 1], slot by slot. */
  readonly slotStarts: Int32Array;
  readonly slotPlayers: Int32Array;
  /** The most slots of any leaf. */
  readonly mostSlots: number;
  /** Beside slotPlayers: the share of training rows that goes the leaf's way at the player's nodes; empty without covers. */
  readonly shares: Float64Array;
}

/** @param playerOf The player of each feature: features of the same player are present or absent together. */
export function leafPaths(forest: Forest, players: number, playerOf: Int32Array, covers = false): LeafPaths {
  const { mode, feature, falseChild, cover } = forest;
  const slot = new Int32Array(mode.length);
  const starts: number[] = [0];
  const slotPlayers: number[] = [];
  const shares: number[] = [];
  // The way to the current node: its branches, whether each is left by its true side, the players seen and their slots.
  const open: number[] = [];
  const trueSide: boolean[] = [];
  const seen: number[] = [];
  const slotOf = new Int32Array(players).fill(-1);
  const owner = new Uint8Array(mode.length);
  let mostSlots = 0;
  for (let node = 0; node < mode.length; node += 1) {
    if (mode[node] !== nodeMode.leaf) {
      const player = playerOf[feature[node] as number] as number;
      if (slotOf[player] === -1) {
        slotOf[player] = seen.length;
        seen.push(player);
        owner[node] = 1;
      }
      slot[node] = slotOf[player] as number;
      open.push(node);
      trueSide.push(true);
      continue;
    }
    const start = slotPlayers.length;
    for (const player of seen) slotPlayers.push(player);
    if (covers && cover !== undefined) {
      for (let at = 0; at < seen.length; at += 1) shares.push(1);
      for (const [at, branch] of open.entries()) {
        const child = trueSide[at] === true ? branch + 1 : (falseChild[branch] as number);
        const place = start + (slot[branch] as number);
        shares[place] = ((shares[place] as number) * (cover[child] as number)) / (cover[branch] as number);
      }
    }
    starts.push(slotPlayers.length);
    mostSlots = Math.max(mostSlots, seen.length);
    if (slotPlayers.length > treeLimits.kept)
      throw tooLarge('the ensemble’s paths have too many features', treeLimits.kept);
    // Back to the nearest branch whose false side is still to come.
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (trueSide.at(-1) === true) {
        trueSide[trueSide.length - 1] = false;
        break;
      }
      open.pop();
      trueSide.pop();
      if (owner[top] === 1) slotOf[seen.pop() as number] = -1;
    }
  }
  return {
    players,
    words: Math.max(1, Math.ceil(mostSlots / 32)),
    slot,
    slotStarts: Int32Array.from(starts),
    slotPlayers: Int32Array.from(slotPlayers),
    mostSlots,
    shares: Float64Array.from(shares),
  };
}

/**
 * Which slots a row fails at each node of the tree from `from` up to `to`: bit s is set when the row would leave the way to
 * that node at a branch of slot s. `failed` is [nodes of the tree × words].
 */
export function failedSlots(
  forest: Forest,
  paths: LeafPaths,
  row: Float64Array,
  from: number,
  to: number,
  failed: Int32Array,
): void {
  const { mode, falseChild } = forest;
  const { words, slot } = paths;
  failed.fill(0, 0, words);
  for (let node = from; node < to; node += 1) {
    if (mode[node] === nodeMode.leaf) continue;
    const here = (node - from) * words;
    const trueAt = here + words;
    const falseAt = ((falseChild[node] as number) - from) * words;
    for (let word = 0; word < words; word += 1)
      failed[trueAt + word] = failed[falseAt + word] = failed[here + word] as number;
    const at = slot[node] as number;
    const place = (goesTrue(forest, node, row) ? falseAt : trueAt) + (at >> 5);
    failed[place] = (failed[place] as number) | (1 << (at & 31));
  }
}
