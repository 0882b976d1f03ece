import type { OnnxNode } from '../onnx/onnx-model';
import { ensembleTrees } from './ensemble-trees';
import { legacyTrees } from './legacy-trees';
import { malformedTrees, unexplainedTrees } from './limits';
import type { ListedTrees } from './listed-trees';

/** A tensor of the model that is, per column, a sum of trees: or was, before `transform`. */
export interface Margin {
  readonly parts: readonly ListedTrees[];
  /** [outputs] what is added, and what the trees of all parts are multiplied by. */
  readonly offset: Float64Array;
  readonly scale: Float64Array;
  /** The column of the model's output that each explained output belongs to. */
  readonly columns: readonly number[];
  /** Of each column; empty: none. */
  readonly labels: readonly string[];
  /** The tensor that the ensembles look at. */
  readonly source: string;
  /** What the model then does to the sums, the first of it; undefined: nothing. */
  readonly transform: string | undefined;
}

const transforms = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT'];

/** Whether a node is an ensemble of trees. */
export const isEnsemble = (node: OnnxNode): boolean =>
  node.domain === 'ai.onnx.ml' && ['TreeEnsemble', 'TreeEnsembleClassifier', 'TreeEnsembleRegressor'].includes(node.op);

/** The sums of an ensemble's own trees, per output, as its operator defines them before post_transform. */
export function ensembleMargin(node: OnnxNode): Margin {
  const listed = node.op === 'TreeEnsemble' ? ensembleTrees(node) : legacyTrees(node);
  const post = node.attributes.get('post_transform');
  const transform = node.op === 'TreeEnsemble' ? (transforms[post?.i ?? 0] ?? 'an unknown one') : (post?.s ?? 'NONE');
  const labels = node.attributes.get('classlabels_strings')?.strings ?? [];
  const numbers = node.attributes.get('classlabels_int64s')?.ints ?? [];
  const common = {
    source: node.inputs[0] ?? '',
    labels: labels.length > 0 ? labels : numbers.map(String),
    transform: transform === 'NONE' ? undefined : transform,
  };
  const chosen = node.op === 'TreeEnsembleClassifier' ? classes(listed) : { listed, columns: all(listed.targets) };
  if (chosen.listed.base.length !== 0 && chosen.listed.base.length !== chosen.listed.targets)
    throw malformedTrees(`base_values has ${listed.base.length} elements, expected none or ${listed.targets}`);
  if (!chosen.listed.base.every(Number.isFinite)) throw malformedTrees('base_values are not finite numbers');
  const { targets } = chosen.listed;
  return {
    ...common,
    parts: [chosen.listed],
    columns: chosen.columns,
    offset: new Float64Array(targets),
    scale: new Float64Array(targets).fill(1),
  };
}

const all = (count: number): number[] => Array.from({ length: count }, (_, column) => column);

/**
 * Two classes may have weights for one alone: then that is the score of the second class, whichever is named, and the first one
 * has its opposite (ONNX Runtime does so, and converters of XGBoost and LightGBM rely on it).
 */
function classes(listed: ListedTrees): { listed: ListedTrees; columns: readonly number[] } {
  if (listed.targets < 2) throw unexplainedTrees(`the model's tree ensemble classifies into ${listed.targets} classes`);
  const used = new Set(listed.weightTarget);
  if (listed.targets > 2) return { listed, columns: all(listed.targets) };
  if (used.size > 1) {
    if (listed.base.length > 0)
      throw unexplainedTrees(
        'the model has base_values for two classes that both have weights, which runtimes read differently',
      );
    return { listed, columns: [0, 1] };
  }
  if (listed.base.length > 1)
    throw unexplainedTrees(
      'the model has two base_values for a single score of two classes, which runtimes read differently',
    );
  const single = { ...listed, targets: 1, weightTarget: new Float64Array(listed.weightTarget.length) };
  return { listed: single, columns: [1] };
}
