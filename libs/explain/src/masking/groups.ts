import { ShoalError } from '@shoal/core';

/*
 * Players are numbered 0, 1, … over all explained inputs; each element of a row belongs to one of them, or to none (−1) and is
 * then always as in the explained row. `playerOf` is that number for each element of one input's row, [elements].
 */

/** Every element a player of its own, from `first` on. */
export function eachItsOwn(elements: number, first = 0): Int32Array {
  return Int32Array.from({ length: elements }, (_, i) => first + i);
}

/** Players and what they are called. */
export interface NamedPlayers {
  readonly names: readonly string[];
  /** [elements]. */
  readonly playerOf: Int32Array;
}

/**
 * Features by name, some of them joined in groups: a group is one player, named as it is and standing where its first feature stood.
 * @throws ShoalError INVALID_ARGUMENT for names that are unknown or used twice
 */
export function tabularPlayers(
  features: readonly string[],
  groups: Readonly<Record<string, readonly string[]>> = {},
): NamedPlayers {
  const at = new Map(features.map((name, i) => [name, i]));
  if (at.size !== features.length)
    throw new ShoalError('INVALID_ARGUMENT', 'feature names must be different from each other');
  const groupOf = new Map<number, string>();
  for (const [group, members] of Object.entries(groups))
    for (const name of members) {
      const i = at.get(name);
      if (i === undefined) throw new ShoalError('INVALID_ARGUMENT', `group '${group}': there is no feature '${name}'`);
      if (groupOf.has(i)) throw new ShoalError('INVALID_ARGUMENT', `feature '${name}' is in two groups`);
      groupOf.set(i, group);
    }
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const playerOf = Int32Array.from(features, (name, i) => {
    const group = groupOf.get(i);
    const key = group === undefined ? `feature ${name}` : `group ${group}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, names.length);
    return names.push(group ?? name) - 1;
  });
  return { names, playerOf };
}

/** Any group mask, as clients give it: its different numbers in ascending order become players 0, 1, …; negative ones belong to none. */
export function playersOfGroups(groups: ArrayLike<number>): {
  readonly playerOf: Int32Array;
  readonly players: number;
} {
  const numbers = [...new Set(Array.from(groups).filter((group) => group >= 0))].toSorted((a, b) => a - b);
  const index = new Map(numbers.map((group, i) => [group, i]));
  return { playerOf: Int32Array.from(groups, (group) => index.get(group) ?? -1), players: numbers.length };
}

/** Cells of an image, row by row, [height × width]; sizes differ by at most one pixel. */
export function gridGroups(height: number, width: number, rows: number, columns: number): Int32Array {
  if (!(rows >= 1 && rows <= height && columns >= 1 && columns <= width))
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `an image of ${height} × ${width} pixels cannot be cut into ${rows} × ${columns} cells`,
    );
  return Int32Array.from({ length: height * width }, (_, pixel) => {
    const y = Math.floor(pixel / width);
    const row = Math.floor((y * rows) / height);
    return row * columns + Math.floor(((pixel - y * width) * columns) / width);
  });
}

/** Players of pixels, for all channels of each: [channels × pixels] for planes (NCHW), else [pixels × channels]. */
export function overChannels(pixels: Int32Array, channels: number, planes: boolean): Int32Array {
  const { length } = pixels;
  return Int32Array.from(
    { length: length * channels },
    (_, i) => pixels[planes ? i % length : Math.floor(i / channels)] as number,
  );
}

/** Tokens by the words they are part of, as tokenizers number them; null: special tokens, which always stay. */
export function wordGroups(wordIds: readonly (number | null)[]): {
  readonly playerOf: Int32Array;
  readonly players: number;
} {
  return playersOfGroups(wordIds.map((word) => word ?? -1));
}
