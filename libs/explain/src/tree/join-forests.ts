import { type Forest, nodeMode } from './forest';

/** One forest of several: nodes, leaves and sets renumbered. */
export function joinForests(forests: readonly Forest[]): Forest {
  const first = forests[0] as Forest;
  // Numbers of one forest after another's, raised by what came before; all but the last forest end `drop` earlier.
  const shift = (pick: (forest: Forest) => Int32Array, by: (forest: Forest) => number, drop: number): Int32Array => {
    let total = 0;
    const list: number[] = [];
    for (const [index, forest] of forests.entries()) {
      const values = pick(forest);
      const end = index === forests.length - 1 ? values.length : values.length - drop;
      for (let at = 0; at < end; at += 1) list.push((values[at] as number) + total);
      total += by(forest);
    }
    return Int32Array.from(list);
  };
  const join = (pick: (forest: Forest) => Float64Array): Float64Array =>
    Float64Array.from(forests.flatMap((forest) => Array.from(pick(forest))));
  let leaves = 0;
  let members = 0;
  const feature: number[] = [];
  const threshold: number[] = [];
  for (const forest of forests) {
    for (let node = 0; node < forest.mode.length; node += 1) {
      const mode = forest.mode[node];
      feature.push((forest.feature[node] as number) + (mode === nodeMode.leaf ? leaves : 0));
      threshold.push((forest.threshold[node] as number) + (mode === nodeMode.member ? members : 0));
    }
    leaves += forest.weightStarts.length - 1;
    members += forest.members.length;
  }
  const nodes = (forest: Forest): number => forest.mode.length;
  return {
    features: first.features,
    outputs: first.outputs,
    starts: shift((forest) => forest.starts, nodes, 1),
    mode: Uint8Array.from(forests.flatMap((forest) => Array.from(forest.mode))),
    feature: Int32Array.from(feature),
    threshold: Float64Array.from(threshold),
    missing: Uint8Array.from(forests.flatMap((forest) => Array.from(forest.missing))),
    falseChild: shift((forest) => forest.falseChild, nodes, 0),
    cover: forests.every((forest) => forest.cover !== undefined)
      ? join((forest) => forest.cover as Float64Array)
      : undefined,
    weightStarts: shift(
      (forest) => forest.weightStarts,
      (forest) => forest.weights.length,
      1,
    ),
    targets: Int32Array.from(forests.flatMap((forest) => Array.from(forest.targets))),
    weights: join((forest) => forest.weights),
    members: join((forest) => forest.members),
    base: first.base.map((_, o) => forests.reduce((sum, forest) => sum + (forest.base[o] as number), 0)),
  };
}
