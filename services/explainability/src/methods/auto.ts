import type { TreeModel } from '@shoal/explain';
import { ShoalError } from '@shoal/core';
import type { MethodContext, Running } from './method';
import { methodNamed } from './methods';
import { explainTrees, treeObstacle, treesIn } from './tree';

/** Up to so many features all coalitions are evaluated: 1024. */
const fewPlayers = 10;
/** From so many features on, least squares over all of them costs more than it gives. */
const manyPlayers = 200;

/** Larger files are not fetched only to see whether there are trees in them. */
const maxTreeBytes = 32 * 1024 ** 2;

/** A method that was chosen, at work. */
export interface Chosen {
  readonly name: string;
  readonly reason: string;
  readonly running: Running;
}

/** The method for who does not care which, and why it is that one. @throws ShoalError as methods do */
export async function startChosen(context: MethodContext): Promise<Chosen> {
  // Trees know players of all features alone.
  const isWhole = context.players.inputs.every(
    ({ playerOf, padding }) => padding === undefined && !playerOf.includes(-1),
  );
  const model = isWhole && context.players.texts.length === 0 ? await treesOf(context) : undefined;
  const obstacle = model && treeObstacle(context, model);
  if (model && obstacle === undefined) {
    const reason = 'the model is an ensemble of trees, whose values can be read off them';
    return { name: 'tree_shap', reason, running: explainTrees(context, model) };
  }
  const { name, reason } = chooseByCount(context.players.sizes.length, context.budget, context.players.noun);
  const beside = obstacle === undefined ? '' : `; tree_shap is not taken: ${obstacle}`;
  return { name, reason: reason + beside, running: await methodNamed(name).start(context) };
}

/** Undefined for all other models, and for those that cannot be looked into. */
async function treesOf(context: MethodContext): Promise<TreeModel | undefined> {
  try {
    return treesIn(await context.modelFile(maxTreeBytes), context.output.name);
  } catch (thrown) {
    if (thrown instanceof ShoalError) return undefined;
    throw thrown;
  }
}

export function chooseByCount(
  count: number,
  budget: number,
  noun: 'features' | 'words',
): { readonly name: string; readonly reason: string } {
  if (count <= fewPlayers && 2 ** count <= budget) {
    return { name: 'exact', reason: `${count} ${noun}: all ${2 ** count} coalitions can be evaluated` };
  }
  if (count <= manyPlayers && budget >= 4 * count + 4) {
    return {
      name: 'kernel_shap',
      reason: `${count} ${noun} are too many for all coalitions within the budget of ${budget}`,
    };
  }
  if (budget >= 2 * count) {
    return {
      name: 'permutation',
      reason: `${count} ${noun}: permutations give values that add up after ${2 * count} evaluations`,
    };
  }
  return {
    name: 'partition',
    reason: `${count} ${noun} cannot each be told apart within the budget of ${budget}: neighbours share what is theirs together`,
  };
}
