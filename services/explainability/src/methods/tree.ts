import { ShoalError, toShoalError } from '@shoal/core';
import {
  type ShapleyResult,
  type Steps,
  type TreeExplainer,
  type TreeModel,
  interventionalSteps,
  pathDependentTrees,
  readTrees,
} from '@shoal/explain';
import { toNumbers } from '@shoal/tensor';
import { createHash } from 'node:crypto';
import { StepsSource } from '../perturbing/steps-source';
import type { ExplainedInput } from '../requests/players';
import { invalid, quoted } from '../requests/refuse';
import type { Method, MethodContext, Running } from './method';

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
  if (typeof orderOf(players.inputs, model) === 'string') return 'its features are not those that are explained';
  const isLogit = link.name === 'logit' && model.logistic;
  if (!isLogit && (link.name !== 'identity' || model.transform !== undefined)) {
    return `its trees add up to ${model.explained}, which is not what is explained here`;
  }
  return output.indices.every((index) => model.columns.includes(index)) ? undefined : 'its classes share one score';
}

/** Places of the trees' inputs among the explained ones; or what is in the way. */
function orderOf(explained: readonly ExplainedInput[], { inputs }: TreeModel): number[] | string {
  const order: number[] = [];
  for (const { name, elements } of inputs) {
    const at = explained.findIndex((input) => input.name === name);
    const input = explained[at];
    if (!input) return `the trees look at input ${quoted(name)}, which must be explained`;
    if (input.elements !== elements) {
      return `a row of input ${quoted(name)} has ${input.elements} values, the trees know ${elements}`;
    }
    order.push(at);
  }
  if (order.length === explained.length) return order;
  const names = inputs.map(({ name }) => quoted(name)).join(', ');
  return `the trees look at input ${names}, and no other can be explained`;
}

/** Rows of several inputs as those of one: [rows × features], in the trees' order. */
function joined(
  explained: readonly ExplainedInput[],
  order: readonly number[],
  contents: readonly Uint8Array[],
): Float64Array {
  const parts = order.map((at) => {
    const { datatype, elements } = explained[at] as ExplainedInput;
    return { elements, values: toNumbers(datatype, contents[at] as Uint8Array) };
  });
  const [first] = parts;
  if (!first || parts.length === 1) return first?.values ?? new Float64Array();
  const features = parts.reduce((sum, { elements }) => sum + elements, 0);
  const rows = first.values.length / first.elements;
  const all = new Float64Array(rows * features);
  let start = 0;
  for (const { elements, values } of parts) {
    for (let row = 0; row < rows; row += 1) {
      all.set(values.subarray(row * elements, (row + 1) * elements), row * features + start);
    }
    start += elements;
  }
  return all;
}

/** @throws ShoalError INVALID_ARGUMENT, FAILED_PRECONDITION as the trees' reader */
export function explainTrees(context: MethodContext, model: TreeModel): Running {
  const { players, background, link, output, row, options } = context;
  const { inputs } = players;
  const order = orderOf(inputs, model);
  if (typeof order === 'string') throw invalid(`tree_shap: ${order}`);
  if (link.name !== 'identity' && !model.logistic) {
    throw invalid('tree_shap explains the raw score of the trees, which has no link');
  }
  const chosen = output.indices.map((index) => model.columns.indexOf(index)).filter((at) => at >= 0);
  // Two classes may have one score: it is given, whichever was chosen.
  const given = chosen.length > 0 ? chosen : [...model.columns.keys()];
  const playerOf = order.flatMap((at) => [...(inputs[at] as ExplainedInput).playerOf]);
  const explainer = options.tree_shap?.path_dependent
    ? ready(pathDependentTrees(model, { playerOf }))
    : against(model, joined(inputs, order, background.contents), background, playerOf);
  const source = new StepsSource(shapleyOf(explainer, joined(inputs, order, row), given));
  const mean = 'the base value is the mean of the background’s scores, not the score of its mean probability';
  return {
    source,
    answer: () => source.result,
    indices: given.map((at) => model.columns[at] as number),
    notes: [
      ...(model.transform === undefined ? [] : [`what is explained is ${model.explained}`]),
      ...(link.name === 'logit' && background.count > 1 ? [mean] : []),
    ],
  };
}

function* shapleyOf(
  explainer: Steps<TreeExplainer>,
  row: Float64Array,
  given: readonly number[],
): Steps<ShapleyResult> {
  const all = yield* (yield* explainer).steps(row);
  return { ...all, outputs: given.map((at) => all.outputs[at] as (typeof all.outputs)[number]) };
}

// oxlint-disable-next-line require-yield
function* ready<R>(value: R): Steps<R> {
  return value;
}

/** For each ensemble, the background that was compared with last: all rows of a batch have the same one. */
const met = new WeakMap<TreeModel, { readonly key: string; readonly explainer: TreeExplainer }>();

function* against(
  model: TreeModel,
  rows: Float64Array,
  { weights }: MethodContext['background'],
  playerOf: readonly number[],
): Steps<TreeExplainer> {
  const hash = createHash('sha256').update(rows).update(weights).update(Float64Array.from(playerOf));
  const key = hash.digest('hex');
  const last = met.get(model);
  if (last?.key === key) return last.explainer;
  const explainer = yield* interventionalSteps(model, rows, { playerOf, weights });
  met.set(model, { key, explainer });
  return explainer;
}
