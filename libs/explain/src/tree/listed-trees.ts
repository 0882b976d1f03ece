/**
 * The trees of one operator as its attributes list them, checked for length but not yet for shape. Positions below
 * `branches` are branches, those from there on leaves.
 */
export interface ListedTrees {
  readonly branches: number;
  readonly leaves: number;
  readonly roots: readonly number[];
  /** [branches] each. */
  readonly mode: Uint8Array;
  readonly feature: Float64Array;
  readonly threshold: Float64Array;
  readonly missing: Uint8Array;
  /** Positions; −1: the file names a node that it does not have. */
  readonly trueChild: Int32Array;
  readonly falseChild: Int32Array;
  /** [branches + leaves]; undefined: not in the file. */
  readonly cover: Float64Array | undefined;
  /** For each weight: the leaf (0 is the first one), the output, the value. */
  readonly weightLeaf: Int32Array;
  readonly weightTarget: Float64Array;
  readonly weightValue: Float64Array;
  /** NaN-ended sets of `member` branches, to which their thresholds point. */
  readonly members: Float64Array;
  readonly targets: number;
  readonly average: boolean;
  /** Added to each output; empty: nothing. */
  readonly base: readonly number[];
  /** An output's base is only added where some leaf has a weight for it: so it is in ONNX Runtime's regressors. */
  readonly baseWithWeight: boolean;
}
