import {
  type ExplainedOutput,
  type Explanation,
  type PictureSubject,
  bars,
  force,
  heatMap,
  interactionMatrix,
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
  const fitting = picture ? 'heatmap' : text === '' ? 'waterfall' : 'text';
  switch (chart === 'auto' ? fitting : chart) {
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
    default:
      return waterfall(explanation, output);
  }
}
