import { bars } from './bars';
import type { ExplainedOutput, Explanation } from './explanation';
import type { Importance } from './found';
import { figure } from './text';

/** What the model loses with each feature, as values that bars can show. */
export function importanceOutput(
  { loss, values, standardErrors }: Importance,
  output: ExplainedOutput,
): ExplainedOutput {
  return { ...output, values, standardErrors, baseValue: loss, interactions: undefined, adds: false };
}

/** By how much the loss grows when each feature is shuffled. */
export function importanceBars(explanation: Explanation, importance: Importance, output: ExplainedOutput): string {
  const about = `loss with a feature shuffled, beyond ${figure(importance.loss)}`;
  return bars(explanation, importanceOutput(importance, output), 20, about);
}
