import { ShoalError } from '@shoal/core';

/** From a model's output to the space in which it is shared out. */
export interface Link {
  readonly name: 'identity' | 'logit';
  /** Distance from 0 and 1 that is kept; 0 for identity. */
  readonly epsilon: number;
  apply(value: number): number;
  /** Values that had to be moved away from 0 or 1 so far. */
  readonly clamped: number;
  /** Of these, values below 0 or above 1: no probabilities. */
  readonly outside: number;
}

/** Outputs as they are. */
export function identityLink(): Link {
  return { name: 'identity', epsilon: 0, apply: (value) => value, clamped: 0, outside: 0 };
}

/**
 * Log-odds of a probability. What is nearer than ε to 0 or 1 counts as ε or 1 − ε, since a saturated answer would make the
 * whole explanation infinite; how often that happened is counted, for the caller to be told.
 */
export function logitLink(epsilon = 1e-7): Link {
  if (!(epsilon > 0 && epsilon < 0.5))
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `epsilon of the logit link must be more than 0 and less than 0.5, got ${epsilon}`,
    );
  let clamped = 0;
  let outside = 0;
  return {
    name: 'logit',
    epsilon,
    apply(value) {
      if (value < 0 || value > 1) outside++;
      const p = Math.min(Math.max(value, epsilon), 1 - epsilon);
      if (p !== value) clamped++;
      return Math.log(p / (1 - p));
    },
    get clamped() {
      return clamped;
    },
    get outside() {
      return outside;
    },
  };
}
