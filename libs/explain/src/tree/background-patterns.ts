import type { Steps } from '../steps';
import { type Forest, nodeMode } from './forest';
import { failedSlots, type LeafPaths } from './leaf-paths';
import { tooLarge, treeLimits } from './limits';

/**
 * How the background rows meet each leaf's path: the different sets of slots that they fail there, and the weight of the
 * rows behind each. There are far fewer of them than rows, so the cost of an explanation hardly grows with the background.
 */
export interface BackgroundPatterns {
  /** Leaf l has the patterns starts[l] up to starts[l + 1]. */
  readonly starts: Int32Array;
  /** [patterns × words]. */
  readonly failed: Int32Array;
  readonly weights: Float64Array;
}

/** Nodes that rows meet in one step: a few milliseconds. */
const stepSize = 1 << 15;

/** @param rows [rows × features], prepared. @param weights [rows], whose sum is 1. */
export function* backgroundPatterns(
  forest: Forest,
  paths: LeafPaths,
  rows: Float64Array,
  weights: Float64Array,
): Steps<BackgroundPatterns> {
  let left = stepSize;
  const { words } = paths;
  const count = weights.length;
  const starts = new Int32Array(forest.weightStarts.length);
  const failed: number[] = [];
  const sums: number[] = [];
  let leaf = 0;
  for (let tree = 0; tree + 1 < forest.starts.length; tree += 1) {
    const from = forest.starts[tree] as number;
    const to = forest.starts[tree + 1] as number;
    const size = (to - from) * words;
    if (size * count > treeLimits.kept)
      throw tooLarge('a tree has too many nodes for so many background rows', treeLimits.kept);
    const all = new Int32Array(size * count);
    for (let row = 0; row < count; row += 1) {
      left -= to - from;
      if (left < 0) {
        left = stepSize;
        yield;
      }
      const values = rows.subarray(row * forest.features, (row + 1) * forest.features);
      failedSlots(forest, paths, values, from, to, all.subarray(row * size, (row + 1) * size));
    }
    for (let node = from; node < to; node += 1) {
      if (forest.mode[node] !== nodeMode.leaf) continue;
      left -= count;
      if (left < 0) {
        left = stepSize;
        yield;
      }
      const places = new Map<number | string, number>();
      for (let row = 0; row < count; row += 1) {
        const at = row * size + (node - from) * words;
        const key = words === 1 ? (all[at] as number) : all.subarray(at, at + words).join();
        const place = places.get(key);
        if (place !== undefined) {
          sums[place] = (sums[place] as number) + (weights[row] as number);
          continue;
        }
        places.set(key, sums.length);
        sums.push(weights[row] as number);
        for (let word = 0; word < words; word += 1) failed.push(all[at + word] as number);
      }
      leaf += 1;
      starts[leaf] = sums.length;
      if (failed.length > treeLimits.kept)
        throw tooLarge('the ensemble meets the background in too many ways', treeLimits.kept);
    }
  }
  return { starts, failed: Int32Array.from(failed), weights: Float64Array.from(sums) };
}
