import { ShoalError } from '@shoal/core';

/** Bounds on what a file may ask for: far above real ensembles, and low enough that no file holds the process up. */
export const treeLimits = {
  /** Bytes of the model file. */
  bytes: 256 * 1024 * 1024,
  nodes: 2 ** 22,
  /** ONNX Runtime's own bound is 1000, too. */
  depth: 1000,
  features: 2 ** 20,
  outputs: 4096,
  /** Numbers kept for explaining: features over all leaves' paths, and patterns of background rows. */
  kept: 2 ** 26,
  /** Operators between the explained output and the ensembles. */
  operators: 64,
} as const;

/** A file whose trees are not trees. */
export const malformedTrees = (what: string): ShoalError =>
  new ShoalError('INVALID_ARGUMENT', `the model's tree ensemble is malformed: ${what}`);

/** What may be right but is not explained from the inside. */
export const unexplainedTrees = (what: string): ShoalError =>
  new ShoalError(
    'UNIMPLEMENTED',
    `${what}; use a method that only asks the model for predictions, such as kernel_shap`,
  );

/** Real, but too large for this method here. */
export const tooLarge = (what: string, most: number): ShoalError =>
  new ShoalError(
    'RESOURCE_EXHAUSTED',
    `${what}: at most ${most} for TreeSHAP; use a method that only asks the model for predictions, such as permutation`,
  );
