import type { MethodContext } from './method';

/** Up to so many features all coalitions are evaluated: 1024. */
const fewPlayers = 10;
/** From so many features on, least squares over all of them costs more than it gives. */
const manyPlayers = 200;

/** The method for who does not care which, and why it is that one. */
export function chooseMethod({ players, budget }: Pick<MethodContext, 'players' | 'budget'>): {
  readonly name: string;
  readonly reason: string;
} {
  const count = players.sizes.length;
  if (count <= fewPlayers && 2 ** count <= budget) {
    return { name: 'exact', reason: `${count} features: all ${2 ** count} coalitions can be evaluated` };
  }
  if (count <= manyPlayers && budget >= 4 * count + 4) {
    return {
      name: 'kernel_shap',
      reason: `${count} features are too many for all coalitions within the budget of ${budget}`,
    };
  }
  if (budget >= 2 * count) {
    return {
      name: 'permutation',
      reason: `${count} features: permutations give values that add up after ${2 * count} evaluations`,
    };
  }
  return {
    name: 'partition',
    reason: `${count} features cannot each be told apart within the budget of ${budget}: neighbours share what is theirs together`,
  };
}
