import type { Anchor, Curve, Explanation } from '@shoal/report';
import type { ExplainResponse } from './messages';

/** What an answer has of methods that give features no values, as charts take it. */
export function toFound(
  answer: ExplainResponse,
): Pick<Explanation, 'anchor' | 'counterfactuals' | 'curves' | 'importance'> {
  const { anchor, counterfactuals, curves, importance } = answer;
  return {
    anchor: anchor ? toAnchor(answer, anchor) : undefined,
    counterfactuals: counterfactuals ?? undefined,
    curves: curves.map((one): Curve => ({
      ...{ feature: one.feature, output: one.output, index: one.index, grid: one.grid, values: one.values },
      ...{
        standardErrors: one.standard_errors,
        rowValues: one.row_values,
        rowAt: one.row_at,
        individual: one.individual,
      },
    })),
    importance: importance
      ? { loss: importance.loss, values: importance.values, standardErrors: importance.standard_errors }
      : undefined,
  };
}

function toAnchor({ outputs }: ExplainResponse, anchor: NonNullable<ExplainResponse['anchor']>): Anchor {
  const { precision, lower, upper, coverage, samples, found, label } = anchor;
  const name = outputs[0]?.output ?? '';
  return {
    predicates: anchor.predicates.map((one) => {
      return { feature: one.feature, above: one.above, upTo: one.up_to, equal: one.equal };
    }),
    ...{ precision, lower, upper, coverage, samples, found },
    answer: label === '' ? `${name} says ${anchor.answer}` : label,
  };
}
