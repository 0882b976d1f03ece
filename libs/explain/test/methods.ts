import {
  balancedTree,
  type Estimator,
  exact,
  kernelShap,
  partition,
  permutationShapley,
  sampledBanzhaf,
  sampledInteractions,
  type SamplingOptions,
  type ShapleyResult,
} from '@shoal/explain';

type Make = (options: SamplingOptions) => Estimator<ShapleyResult>;

/** Methods that sample, by name. */
export const sampling: Readonly<Record<string, Make>> = {
  kernel: kernelShap,
  permutation: permutationShapley,
  banzhaf: sampledBanzhaf,
  sii: (options) => sampledInteractions({ ...options, index: 'sii' }),
  'k-sii': (options) => sampledInteractions({ ...options, index: 'k-sii' }),
  stii: (options) => sampledInteractions({ ...options, index: 'stii' }),
};

/** All methods that take a budget or need none; the tree's is too small to divide it to the end. */
export const methods: Readonly<Record<string, Make>> = {
  ...sampling,
  partition: ({ players, budget }) => partition({ players, budget: Math.min(budget, 40), tree: balancedTree(players) }),
  exact: ({ players }) => exact({ players }),
};

/** What a sampling method's answer converges to. */
export function limitOf(name: string, players: number): Estimator<ShapleyResult> {
  const index = name === 'banzhaf' || name === 'sii' || name === 'k-sii' || name === 'stii' ? name : 'shapley';
  return exact({ players, index });
}
