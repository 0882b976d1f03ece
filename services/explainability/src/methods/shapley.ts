import {
  type Estimator,
  type ExactIndex,
  type SamplingOptions,
  type ShapleyResult,
  balancedTree,
  exact,
  kernelShap,
  mostExactPlayers,
  owen,
  partition,
  permutationShapley,
  sampledBanzhaf,
  sampledInteractions,
} from '@shoal/explain';
import { CoalitionSource } from '../perturbing/coalition-source';
import { invalid } from '../requests/refuse';
import type { Method, MethodContext, Running } from './method';

const indices = { SII: 'sii', K_SII: 'k-sii', STII: 'stii' } as const;

/** Methods that share an output out over players by the values of coalitions. */
export const shapleyMethods: readonly Method[] = [
  {
    name: 'exact',
    summary: `Shapley (or Banzhaf) values of all coalitions, for at most ${mostExactPlayers} features`,
    needs: 'predictions',
    start: (context) => ofGame(context, exactGame(context, context.options.exact?.banzhaf ? 'banzhaf' : 'shapley')),
  },
  {
    name: 'kernel_shap',
    summary:
      'Shapley values by weighted least squares over paired coalitions; exact when the budget covers all of them',
    needs: 'predictions',
    start: (context) => ofGame(context, kernelShap(sampling(context))),
  },
  {
    name: 'permutation',
    summary: 'Shapley values from permutations walked both ways, until an error or a budget',
    needs: 'predictions',
    start: (context) => ofGame(context, permutationShapley(sampling(context))),
  },
  {
    name: 'owen',
    summary: 'Owen values of features in groups: groups share first, then their members',
    needs: 'predictions',
    start: (context) => ofGame(context, owen({ players: count(context), groups: groupsOf(context) })),
  },
  {
    name: 'partition',
    summary: 'Owen values over a balanced tree of neighbouring features, the largest effect divided first',
    needs: 'predictions',
    start: (context) => ofGame(context, partition({ ...sampling(context), tree: balancedTree(count(context)) })),
  },
  {
    name: 'banzhaf',
    summary: 'Banzhaf values from coalitions drawn evenly; they need not add up',
    needs: 'predictions',
    start: (context) => ofGame(context, sampledBanzhaf(sampling(context))),
  },
  {
    name: 'interactions',
    summary: 'pairwise interactions (SII, k-SII, STII), exact for few features',
    needs: 'predictions',
    start(context) {
      const index = indices[context.options.interactions?.index ?? 'SII'];
      const players = count(context);
      if (players <= mostExactPlayers && 2 ** players <= context.budget) {
        return ofGame(context, exactGame(context, index));
      }
      return ofGame(context, sampledInteractions({ ...sampling(context), index }));
    },
  },
];

function exactGame(context: MethodContext, index: ExactIndex): Estimator<ShapleyResult> {
  const players = count(context);
  // Which is refused with a reason of its own.
  if (players <= mostExactPlayers && 2 ** players > context.budget) {
    throw invalid(
      `exact values of ${players} features take ${2 ** players} evaluations, the budget is ${context.budget}: group the features, or use a sampling method`,
    );
  }
  return exact({ players, index });
}

/** An estimator at work on the coalitions of a row's features. */
export function ofGame(context: MethodContext, estimator: Estimator<ShapleyResult>): Running {
  const { masker, link, ends, background } = context;
  const source = new CoalitionSource(estimator, { masker, link, ends, weights: background.weights });
  return { source, answer: () => estimator.result(), knowsBase: true };
}

function sampling({ players, budget, seed, targetError }: MethodContext): SamplingOptions {
  return { players: players.sizes.length, budget, seed, targetError };
}

function count({ players }: MethodContext): number {
  return players.sizes.length;
}

function groupsOf({ options }: MethodContext): readonly (readonly number[])[] {
  const groups = options.owen?.groups ?? [];
  if (groups.length === 0) throw invalid('owen.groups: Owen values need groups of features');
  return groups.map(({ players }) => players);
}
