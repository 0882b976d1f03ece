import type { Random } from '@shoal/core';

/** 0, 1, … n−1. */
export function identity(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

/** Puts a uniformly drawn ordered choice of `k` items in front (Fisher-Yates); with k = the length, a uniform permutation. */
export function shuffleFront(items: Int32Array, k: number, random: Random): void {
  for (let i = 0; i < k; i++) {
    const j = i + Math.floor(random.next() * (items.length - i));
    const held = items[i] as number;
    items[i] = items[j] as number;
    items[j] = held;
  }
}
