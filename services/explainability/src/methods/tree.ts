import { ShoalError, toShoalError } from '@shoal/core';
import { type TreeModel, interventionalTrees, pathDependentTrees, readTrees } from '@shoal/explain';
import { toNumbers } from '@shoal/tensor';
import type { AskSource } from '../perturbing/ask';
import { invalid, quoted } from '../requests/refuse';
import type { Method, MethodContext, Running } from './method';

/** Everything is known from the model's file. */
const nothingToAsk: AskSource = { done: true, next: () => undefined };

/** Shapley values of tree ensembles, from the trees themselves. */
export const treeMethods: readonly Method[] = [
  {
    name: 'tree_shap',
    summary:
      'exact Shapley values of a tree ensemble’s raw score, read from the trees, against a background or by training covers',
    needs: 'trees',
    async start(context) {
      return explainTrees(context, treesIn(await context.modelFile(), context.output.name));
    },
  },
];

/** By file and output: trees, or why there are none. Files are kept for as long as they are used. */
const known = new WeakMap<Uint8Array, Map<string, TreeModel | ShoalError>>();

/** The trees in a model's file. @throws ShoalError as `readTrees` */
export function treesIn(file: Uint8Array, output: string): TreeModel {
  const byOutput = known.get(file) ?? new Map<string, TreeModel | ShoalError>();
  known.set(file, byOutput);
  let found = byOutput.get(output);
  if (!found) {
    try {
      found = readTrees(file, output);
    } catch (thrown) {
      found = toShoalError(thrown);
    }
    byOutput.set(output, found);
  }
  if (found instanceof ShoalError) throw found;
  return found;
}

/** Why a tree ensemble's own sums would be another thing than what was asked for; undefined: they are the same. */
export function treeObstacle({ players, link, output }: MethodContext, model: TreeModel): string | undefined {
  const [input, ...others] = players.inputs;
  if (!input || others.length > 0 || input.name !== model.input || input.elements !== model.forest.features) {
    return 'its features are not those of the one explained input';
  }
  const isLogit = link.name === 'logit' && model.transform === 'LOGISTIC';
  if (!isLogit && (link.name !== 'identity' || model.transform !== undefined)) {
    return `its trees add up to ${model.explained}, which is not what is explained here`;
  }
  return output.indices.every((index) => model.columns.includes(index)) ? undefined : 'its classes share one score';
}

/** @throws ShoalError INVALID_ARGUMENT, FAILED_PRECONDITION as the trees' reader */
export function explainTrees(context: MethodContext, model: TreeModel): Running {
  const { players, background, link, output, row, options } = context;
  const [input, ...others] = players.inputs;
  if (!input || others.length > 0 || input.name !== model.input) {
    throw invalid(`tree_shap: the trees look at input ${quoted(model.input)}, and that alone can be explained`);
  }
  if (input.elements !== model.forest.features) {
    throw invalid(`tree_shap: a row has ${input.elements} values, the trees know ${model.forest.features} features`);
  }
  if (link.name !== 'identity' && model.transform !== 'LOGISTIC') {
    throw invalid('tree_shap explains the raw score of the trees, which has no link');
  }
  const grouping = { playerOf: input.playerOf };
  const explainer = options.tree_shap?.path_dependent
    ? pathDependentTrees(model, grouping)
    : interventionalTrees(model, toNumbers(input.datatype, background.contents[0] as Uint8Array), {
        ...grouping,
        weights: background.weights,
      });
  const all = explainer.explain(toNumbers(input.datatype, row[0] as Uint8Array));
  const chosen = output.indices.map((index) => model.columns.indexOf(index)).filter((at) => at >= 0);
  // Two classes may have one score: it is given, whichever was chosen.
  const given = chosen.length > 0 ? chosen : [...model.columns.keys()];
  const result = { ...all, outputs: given.map((at) => all.outputs[at] as (typeof all.outputs)[number]) };
  return {
    source: nothingToAsk,
    answer: () => result,
    indices: given.map((at) => model.columns[at] as number),
    notes: model.transform === undefined ? [] : [`what is explained is ${model.explained}`],
  };
}
