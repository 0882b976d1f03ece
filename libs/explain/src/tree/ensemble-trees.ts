import type { OnnxNode } from '../onnx/onnx-model';
import { tensorValues } from './attribute-values';
import { nodeMode } from './forest';
import { malformedTrees, tooLarge, treeLimits, unexplainedTrees } from './limits';
import type { ListedTrees } from './listed-trees';

/** The trees of a TreeEnsemble (ai.onnx.ml 5): branches and leaves in lists of their own. It states no covers of leaves. */
export function ensembleTrees(node: OnnxNode): ListedTrees {
  const ints = (name: string, count: number): readonly number[] => {
    const list = node.attributes.get(name)?.ints ?? [];
    if (list.length !== count) throw malformedTrees(`${name} has ${list.length} elements, expected ${count}`);
    return list;
  };
  const tensor = (name: string): Float64Array => {
    const value = node.attributes.get(name)?.t;
    return value === undefined ? new Float64Array(0) : tensorValues(value, name);
  };
  const modes = tensor('nodes_modes');
  const splits = tensor('nodes_splits');
  const weights = tensor('leaf_weights');
  const branches = modes.length;
  const leaves = weights.length;
  if (branches + leaves > treeLimits.nodes) throw tooLarge('the tree ensemble has too many nodes', treeLimits.nodes);
  if (splits.length !== branches)
    throw malformedTrees(`nodes_splits has ${splits.length} elements, expected ${branches}`);
  for (const mode of modes)
    if (!(mode <= nodeMode.member))
      throw unexplainedTrees(`the model's trees have branches of the unknown mode ${mode}`);
  const tracks = node.attributes.get('nodes_missing_value_tracks_true')?.ints ?? [];
  if (tracks.length > 0) ints('nodes_missing_value_tracks_true', branches);
  const aggregate = node.attributes.get('aggregate_function')?.i ?? 1;
  if (aggregate !== 0 && aggregate !== 1)
    throw unexplainedTrees(
      `the model takes the ${aggregate === 2 ? 'minimum' : 'maximum'} of its trees, which TreeSHAP cannot share out (sum and average it can)`,
    );
  const child = (ids: string, isLeaf: string): Int32Array => {
    const leafFlags = ints(isLeaf, branches);
    return Int32Array.from(ints(ids, branches), (id, at) => {
      const leaf = leafFlags[at] !== 0;
      return id >= 0 && id < (leaf ? leaves : branches) ? id + (leaf ? branches : 0) : -1;
    });
  };
  return {
    branches,
    leaves,
    roots: node.attributes.get('tree_roots')?.ints ?? [],
    mode: Uint8Array.from(modes),
    feature: Float64Array.from(ints('nodes_featureids', branches)),
    ...sets(modes, splits, tensor('membership_values')),
    missing: Uint8Array.from({ length: branches }, (_, at) => (tracks[at] === 1 ? 1 : 0)),
    trueChild: child('nodes_truenodeids', 'nodes_trueleafs'),
    falseChild: child('nodes_falsenodeids', 'nodes_falseleafs'),
    cover: undefined,
    weightLeaf: Int32Array.from({ length: leaves }, (_, leaf) => leaf),
    weightTarget: Float64Array.from(ints('leaf_targetids', leaves)),
    weightValue: weights,
    targets: node.attributes.get('n_targets')?.i ?? 1,
    average: aggregate === 0,
    base: [],
    baseWithWeight: false,
  };
}

/** `member` branches take the NaN-ended sets one after the other. */
function sets(
  modes: Float64Array,
  splits: Float64Array,
  values: Float64Array,
): { threshold: Float64Array; members: Float64Array } {
  const threshold = splits.slice();
  const members = Float64Array.from([...values, Number.NaN]);
  let next = 0;
  for (let at = 0; at < modes.length; at += 1) {
    if (modes[at] !== nodeMode.member) continue;
    if (next >= values.length) throw malformedTrees('membership_values has fewer sets than there are member branches');
    threshold[at] = next;
    while (!Number.isNaN(members[next])) next += 1;
    next += 1;
  }
  return { threshold, members };
}
