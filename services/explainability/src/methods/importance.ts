import { absoluteError, logLoss, permutationImportance, squaredError, wrongClass } from '@shoal/explain';
import { RowSource } from '../perturbing/row-source';
import { invalid } from '../requests/refuse';
import type { Method, MethodContext, Running } from './method';
import { dataOf, unattributed } from './numbers';

const losses = {
  SQUARED_ERROR: squaredError,
  ABSOLUTE_ERROR: absoluteError,
  WRONG_CLASS: wrongClass,
  LOG_LOSS: logLoss,
} as const;

const usualRepeats = 5;

/** What the model loses with a feature, over rows of which the right answers are known. */
export const importanceMethods: readonly Method[] = [
  {
    name: 'permutation_importance',
    summary: 'by how much the model is more wrong about the background’s rows when a feature is shuffled over them',
    needs: 'predictions',
    answers: 'importance',
    start,
  },
];

function start(context: MethodContext): Running {
  const method = 'permutation_importance';
  const { targets = [], loss = 'SQUARED_ERROR', repeats = 0 } = context.options.permutation_importance ?? {};
  const { players, budget, seed, output } = context;
  if (players.texts.length > 0) throw invalid(`${method} is of numbers; the request explains a text`);
  if (context.link.name !== 'identity') throw invalid(`${method} is of the output itself: link must be IDENTITY`);
  const data = dataOf(context, method);
  if (targets.length !== data.count) {
    throw invalid(`${method}.targets: ${data.count} rows of the background need as many, got ${targets.length}`);
  }
  const ofClass = loss === 'WRONG_CLASS' || loss === 'LOG_LOSS';
  const classes = Math.max(2, output.elements);
  if (ofClass && targets.some((target) => !Number.isInteger(target) || target < 0 || target >= classes)) {
    throw invalid(`${method}.targets: for ${loss} each is the index of a class, below ${classes}`);
  }
  if (!ofClass && output.indices.length > 1) {
    throw invalid(`${method}: ${loss} is of one element of the output: choose it (output.indices)`);
  }
  if (loss === 'WRONG_CLASS' && output.elements === 1) {
    throw invalid(`${method}: WRONG_CLASS is of an output with an element for each class`);
  }
  const times = repeats > 0 ? repeats : usualRepeats;
  const evaluations = (1 + players.sizes.length * times) * data.count;
  if (evaluations > budget) {
    throw invalid(
      `${method} takes ${evaluations} evaluations here, the budget is ${budget}: group features, or have fewer rows drawn (baseline.sample) or repeats`,
    );
  }
  const estimator = permutationImportance({
    ...{ data, targets: Float64Array.from(targets), loss: losses[loss], repeats: times, seed },
    groups: membersOf(context),
  });
  const indices = ofClass ? Array.from({ length: output.elements }, (_, index) => index) : output.indices;
  return {
    source: new RowSource(estimator, players.inputs),
    requests: context.requests({ ...output, indices }),
    answer() {
      const found = estimator.result();
      if (!found) return undefined;
      const { values, standardErrors } = found;
      const importance = { loss: found.loss, values: [...values], standard_errors: [...standardErrors] };
      return {
        outputs: unattributed(context),
        exact: false,
        converged: estimator.done,
        stopReason: 'budget',
        evaluations: found.evaluations,
        fields: { importance },
      };
    },
  };
}

/** Elements of each player: they are shuffled together. */
function membersOf({ players }: MethodContext): number[][] {
  const members: number[][] = players.sizes.map(() => []);
  let at = 0;
  for (const { playerOf } of players.inputs) {
    for (const player of playerOf) {
      members[player]?.push(at);
      at += 1;
    }
  }
  return members;
}
