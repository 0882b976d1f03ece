import {
  type ExplainedOutput,
  type Explanation,
  type PictureSubject,
  bars,
  counterfactualTable,
  curvePanels,
  curvesOf,
  force,
  heatMap,
  importanceBars,
  interactionMatrix,
  qualityCurves,
  removalCurves,
  ruleChart,
  textHighlight,
  waterfall,
} from '@shoal/report';
import type { ExplainConfig } from './explain-flags';
import { wrong } from './wrong';

/**
 * The chart of the first output that --svg writes.
 * @throws ShoalError INVALID_ARGUMENT for a chart of what the answer does not have
 */
export function svgOf(
  { chart, text }: Pick<ExplainConfig, 'chart' | 'text'>,
  explanation: Explanation,
  picture: PictureSubject | undefined,
): string {
  const output = explanation.outputs[0] as ExplainedOutput;
  switch (chart === 'auto' ? fittingChart(explanation, picture, text) : chart) {
    case 'force':
      return force(explanation, output);
    case 'bars':
      return bars(explanation, output);
    case 'text':
      return textHighlight(explanation, output);
    case 'interactions':
      if (output.interactions) return interactionMatrix(explanation, output);
      throw wrong('--chart interactions: the answer has none; ask for them with --method interactions');
    case 'heatmap':
      if (picture) return heatMap(picture, output);
      throw wrong('--chart heatmap is for --image');
    case 'rule':
      if (explanation.anchor) return ruleChart(explanation, explanation.anchor);
      throw wrong('--chart rule: the answer has none; ask for one with --method anchors');
    case 'counterfactuals':
      if (explanation.counterfactuals) return counterfactualTable(explanation, explanation.counterfactuals);
      throw wrong('--chart counterfactuals: the answer has none; ask for them with --method counterfactuals');
    case 'curves':
      if (curvesOf(explanation, output).length > 0) return curvePanels(explanation, output);
      throw wrong('--chart curves: the answer has none; ask for them with --method partial_dependence');
    case 'importance':
      if (explanation.importance) return importanceBars(explanation, explanation.importance, output);
      throw wrong('--chart importance: the answer has none; ask for it with --method permutation_importance');
    case 'quality':
      if (removalCurves(explanation, output).length > 0) return qualityCurves(explanation, output);
      throw wrong('--chart quality: the answer has no curves; ask for them with --quality deletion,insertion');
    default:
      return waterfall(explanation, output);
  }
}

/** What an answer is best shown as. */
function fittingChart(explanation: Explanation, picture: PictureSubject | undefined, text: string): string {
  if (explanation.anchor) return 'rule';
  if (explanation.counterfactuals) return 'counterfactuals';
  if (explanation.importance) return 'importance';
  if ((explanation.curves?.length ?? 0) > 0) return 'curves';
  if (picture) return 'heatmap';
  return text === '' ? 'waterfall' : 'text';
}
