import { seededRandom } from '@shoal/core';
import type { Anchor, Counterfactuals, Curve, Importance } from '../found';
import type { ExplainedOutput, Explanation, Measure } from '../explanation';
import { type ExampleOptions, example } from './examples';

/** What methods find that give features no values, all in one answer. */
export interface Found {
  readonly anchor: Anchor;
  readonly counterfactuals: Counterfactuals;
  readonly curves: readonly Curve[];
  readonly importance: Importance;
  readonly quality: readonly Measure[];
}

/** An answer as the service gives it, with everything that can be found. */
export function foundExample(options: ExampleOptions = {}): Explanation & Found {
  const { features: count = 12 } = options;
  const explanation = example({ ...options, output: { ...options.output, values: [], standardErrors: undefined } });
  const output = explanation.outputs[0] as ExplainedOutput;
  const random = seededRandom(11);
  const draw = (length: number) => Array.from({ length }, () => random.next() - 0.5);
  const features = Array.from({ length: count }, (_, at) => at);
  return {
    ...explanation,
    anchor: {
      predicates: features.slice(0, 4).map((feature) => ({
        feature,
        above: feature % 2 === 0 ? 1.5 : undefined,
        upTo: feature < 2 ? 4.25 : undefined,
        equal: undefined,
      })),
      ...{ precision: 0.97, lower: 0.95, upper: 0.99, coverage: 0.25, samples: 810, found: true },
      answer: output.label,
    },
    counterfactuals: {
      wanted: `${output.output}[0] (malignant) is the largest`,
      rows: [1, 2, 3].map((row) => ({
        values: features.map((at) => at + row),
        changed: features.filter((at) => at % row === 0),
        ...{ output: [0.6, 0.4], distance: 0.1 * row },
      })),
    },
    curves: features.map((feature) => ({
      ...{ feature, output: output.output, index: output.index, grid: [0, 1, 2, 4, 8], rowAt: 3 },
      values: draw(5).map((value) => value * (1 + feature)),
      standardErrors: [0.1, 0.1, 0.2, 0.1, 0.1],
      rowValues: draw(5),
      individual: draw(15),
    })),
    importance: { loss: 0.3, values: draw(count), standardErrors: draw(count).map(Math.abs) },
    quality: ['deletion', 'insertion'].map((name) => ({
      ...{ name, output: output.output, index: output.index, value: 0.5 },
      ...{ at: [0, 0.5, 1], curve: name === 'deletion' ? [1, 0.2, 0] : [0, 0.8, 1] },
    })),
  };
}
