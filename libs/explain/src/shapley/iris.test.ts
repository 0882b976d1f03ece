import { ablation, exact, kernelShap, occlusion, owen, permutationShapley } from '@shoal/explain';
import { explain, furthest, type Game } from '../../test/drive';
import iris from '../fixtures/iris-logreg.json';

const { background } = iris;
const [features, classes] = [4, 3];
const mean = Array.from(
  { length: features },
  (_, j) => background.reduce((sum, row) => sum + (row[j] as number), 0) / background.length,
);

/** The model's weights and intercepts, read off the closed form of its scores' Shapley values, (x − mean)·β. */
const [first] = iris.cases;
const weights = Array.from({ length: classes }, (_, c) =>
  mean.map((m, j) => (first?.shapley_scores[j]?.[c] as number) / ((first?.input[j] as number) - m)),
);
const intercepts = weights.map(
  (beta, c) => (first?.score_base[c] as number) - beta.reduce((sum, b, j) => sum + b * (mean[j] as number), 0),
);

function scores(row: readonly number[]): number[] {
  return weights.map((beta, c) => beta.reduce((sum, b, j) => sum + b * (row[j] as number), intercepts[c] as number));
}

function probabilities(row: readonly number[]): number[] {
  const exps = scores(row).map(Math.exp);
  const total = exps.reduce((sum, x) => sum + x, 0);
  return exps.map((x) => x / total);
}

/** v(S): the mean over the background of what the model says, absent features being the background's. */
function game(input: readonly number[], model: (row: readonly number[]) => number[]): Game {
  return (mask) => {
    const rows = background.map((row) => model(row.map((b, j) => (mask[j] === 1 ? (input[j] as number) : b))));
    return Array.from(
      { length: classes },
      (_, c) => rows.reduce((sum, row) => sum + (row[c] as number), 0) / rows.length,
    );
  };
}

test.each(iris.cases)('probabilities and scores of $input', (known) => {
  for (const estimator of [
    exact({ players: features }),
    kernelShap({ players: features, budget: 16, seed: 1 }),
    owen({ players: features, groups: [[0], [1], [2], [3]] }),
  ]) {
    const { outputs } = explain(estimator, game(known.input, probabilities));
    for (const [c, { values, baseValue, outputValue }] of outputs.entries()) {
      expect(
        furthest(
          values,
          known.shapley_probabilities.map((row) => row[c] as number),
        ),
      ).toBeLessThan(iris.tolerance);
      expect(
        furthest([baseValue, outputValue], [known.base[c] as number, known.output_probabilities[c] as number]),
      ).toBeLessThan(iris.tolerance);
    }
  }
  // Linear in the features: one permutation, walked both ways, is enough.
  const { outputs } = explain(permutationShapley({ players: features, budget: 8, seed: 9 }), game(known.input, scores));
  for (const [c, { values }] of outputs.entries())
    expect(
      furthest(
        values,
        known.shapley_scores.map((row) => row[c] as number),
      ),
    ).toBeLessThan(iris.tolerance);
});

test.each(iris.occlusion.cases)('each feature of $input alone at the mean of the background', (known) => {
  const model: Game = (mask) =>
    probabilities(known.input.map((x, j) => (mask[j] === 1 ? x : (known.baseline[j] as number))));
  for (const estimator of [ablation({ players: features }), occlusion({ shape: [2, 2], window: [1, 1] })])
    for (const [c, { values }] of explain(estimator, model).outputs.entries())
      expect(
        furthest(
          values,
          known.occlusion.map((row) => row[c] as number),
        ),
      ).toBeLessThan(iris.tolerance);
});

test('a logistic model of two kinds of iris, against five rows and, in logits, against one', () => {
  const [beta, intercept] = [[-0.1991, 0.3426, 0.0478, 1.03745], -1.6689];
  const rows = [
    [5.8, 2.8, 5.1, 2.4],
    [5.8, 2.7, 5.1, 1.9],
    [7.2, 3.6, 6.1, 2.5],
    [6.2, 2.8, 4.8, 1.8],
    [4.9, 3.1, 1.5, 0.1],
  ];
  const input = [4.8, 3.8, 2.1, 5.4];
  const score = (row: readonly number[], mask: Uint8Array): number =>
    row.reduce((sum, b, j) => sum + (beta[j] as number) * (mask[j] === 1 ? (input[j] as number) : b), intercept);
  const probability: Game = (mask) =>
    rows.reduce((sum, row) => sum + 1 / (1 + Math.exp(-score(row, mask))), 0) / rows.length;
  const logit: Game = (mask) => score(rows[0] ?? [], mask);
  for (const make of [() => exact({ players: 4 }), () => kernelShap({ players: 4, budget: 32, seed: 2 })]) {
    const [output] = explain(make(), probability).outputs;
    expect(furthest(output?.values ?? [], [0.02570758, 0.0309202, -0.01323574, 0.39382299])).toBeLessThan(5e-9);
    const [logits] = explain(make(), logit).outputs;
    expect(furthest(logits?.values ?? [], [0.1991, 0.3426, -0.1434, 3.11235])).toBeLessThan(1e-9);
  }
});
