import { type Random, seededRandom } from '@shoal/core';
import { type TreeModel, interventionalTrees, readTrees } from '@shoal/explain';
import { marginModel } from '../models/margin-model';

/** Rows to explain, and rows to compare them with. */
export interface ExplainedRows {
  readonly features: number;
  /** Each [features]. */
  readonly rows: readonly Float32Array[];
  /** [rows × features]. */
  readonly background: Float32Array;
}

/** Background rows of the explanations that are measured. */
export const backgroundRows = 50;

/** The trees behind the margin model's output. */
export function marginTrees(): TreeModel {
  return readTrees(marginModel.onnx(), 'margin');
}

/**
 * Rows for the margin model, always the same: each feature is near a threshold that some tree has for it, so that the trees tell
 * rows apart by all of their features.
 */
export function marginRows({ forest }: TreeModel, count: number): ExplainedRows {
  const random = seededRandom(20);
  const thresholds = Array.from({ length: forest.features }, () => [0]);
  for (const [node, feature] of forest.feature.entries()) {
    // Leaves count themselves in the same array.
    if (forest.mode[node] !== leaf) thresholds[feature]?.push(forest.threshold[node] as number);
  }
  const draw = () => Float32Array.from(thresholds, (of) => near(of, random));
  const background = new Float32Array(backgroundRows * forest.features);
  for (let row = 0; row < backgroundRows; row++) background.set(draw(), row * forest.features);
  return { features: forest.features, rows: Array.from({ length: count }, draw), background };
}

/** Shapley values of the first of the margin model's rows. */
export function exactMargins(): Float64Array {
  const trees = marginTrees();
  const { rows, background } = marginRows(trees, 1);
  return interventionalTrees(trees, background).explain(rows[0] ?? []).outputs[0]?.values ?? new Float64Array();
}

/** The mark of a leaf in a forest's modes. */
const leaf = 7;

function near(values: readonly number[], random: Random): number {
  const value = values[Math.floor(random.next() * values.length)] ?? 0;
  return value * (0.98 + 0.04 * random.next());
}
