/** What each player contributes to one output, in link space. */
export interface Attribution {
  /** [players]. */
  readonly values: Float64Array;
  /** [players]; undefined: the values are exact. NaN: not known yet, too little was sampled. */
  readonly standardErrors: Float64Array | undefined;
  /** v(∅): the output when every player is absent. */
  readonly baseValue: number;
  /** v(all): the output for what is explained. */
  readonly outputValue: number;
  /** outputValue − baseValue − Σ values; 0 up to rounding for methods that share out the whole difference. */
  readonly additivityGap: number;
}

/** Why an explanation ended. The last two are the shell's: an estimator knows neither time nor callers. */
export type StopReason = 'exact' | 'target_error' | 'budget' | 'deadline' | 'cancelled';

/** The answer of every method in this package that shares an output out over players. */
export interface ShapleyResult {
  readonly outputs: readonly Attribution[];
  /** Pairwise interactions per output, [players × players] row-major, symmetric, 0 on the diagonal. */
  readonly interactions?: readonly Float64Array[];
  /** Standard errors of `interactions`, same shape; absent when they are exact. */
  readonly interactionErrors?: readonly Float64Array[];
  readonly exact: boolean;
  readonly converged: boolean;
  readonly stopReason: StopReason;
  /** Coalitions whose values were used. */
  readonly evaluations: number;
}

/** One output's attribution, its additivity gap computed. `shared` is what interactions account for on top of the values. */
export function attribution(
  values: Float64Array,
  standardErrors: Float64Array | undefined,
  baseValue: number,
  outputValue: number,
  shared = 0,
): Attribution {
  let sum = shared;
  for (const value of values) sum += value;
  return { values, standardErrors, baseValue, outputValue, additivityGap: outputValue - baseValue - sum };
}

/** Σ over pairs of a symmetric [players × players] matrix. */
export function pairSum(interactions: Float64Array): number {
  let sum = 0;
  for (const value of interactions) sum += value;
  return sum / 2;
}
