import type { ListedTrees } from './listed-trees';
import type { Margin } from './margin';

/**
 * Margins of the same tensor beside each other, as a Concat of their columns has them. An ensemble that is behind several of them
 * (as one score is behind the probabilities of two classes) stays one, whose leaves have weights for all.
 * @returns what is in the way, in words
 */
export function concatMargins(margins: readonly Margin[]): Margin | string {
  const [first] = margins;
  if (first === undefined) return 'it has no inputs';
  if (margins.some(({ source }) => source !== first.source)) return 'its ensembles look at different tensors';
  if (margins.some(({ transform }) => transform !== first.transform)) return 'its inputs are transformed differently';
  if (margins.some(({ columns }) => columns.some((column, at) => column !== at)))
    return 'two classes share one score in one of its inputs';
  const targets = margins.reduce((sum, { columns }) => sum + columns.length, 0);
  const parts = new Map<object, ListedTrees>();
  let start = 0;
  for (const margin of margins) {
    for (const part of margin.parts) {
      const moved = movedPart(part, margin.scale, start, targets);
      // Parts of one ensemble have the same arrays of branches.
      const earlier = parts.get(part.feature);
      parts.set(part.feature, earlier === undefined ? moved : together(earlier, moved));
    }
    start += margin.columns.length;
  }
  return {
    ...first,
    parts: [...parts.values()],
    offset: Float64Array.from(margins.flatMap(({ offset }) => [...offset])),
    scale: new Float64Array(targets).fill(1),
    columns: Array.from({ length: targets }, (_, column) => column),
    labels: [],
  };
}

/** A part whose outputs begin at `start` of `targets`, scaled. */
function movedPart(part: ListedTrees, scale: Float64Array, start: number, targets: number): ListedTrees {
  const base = new Array<number>(targets).fill(0);
  for (const [output, value] of part.base.entries()) base[start + output] = value * (scale[output] as number);
  return {
    ...part,
    targets,
    base,
    weightTarget: part.weightTarget.map((target) => target + start),
    weightValue: part.weightValue.map((value, at) => value * (scale[part.weightTarget[at] as number] ?? 1)),
  };
}

function together(a: ListedTrees, b: ListedTrees): ListedTrees {
  return {
    ...a,
    base: a.base.map((value, output) => value + (b.base[output] as number)),
    weightLeaf: Int32Array.from([...a.weightLeaf, ...b.weightLeaf]),
    weightTarget: Float64Array.from([...a.weightTarget, ...b.weightTarget]),
    weightValue: Float64Array.from([...a.weightValue, ...b.weightValue]),
  };
}
