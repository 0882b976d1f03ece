import { ShoalError } from '@shoal/core';
import { indexOfLargest } from './losses';

/** What the model is to say instead: a class (of one output: 1 means above one half), or an output within a range. */
export type Wanted =
  | { readonly kind: 'class'; readonly index: number }
  | { readonly kind: 'range'; readonly output: number; readonly low: number; readonly high: number };

/** How far an answer is from what is wanted; 0: it is as wanted. */
export function shortfall(wanted: Wanted, values: Float64Array): number {
  if (wanted.kind === 'range') {
    const value = values[wanted.output] ?? Number.NaN;
    if (Number.isNaN(value)) throw new ShoalError('INVALID_ARGUMENT', `there is no output ${wanted.output}`);
    return Math.max(0, wanted.low - value, value - wanted.high);
  }
  if (values.length === 1) {
    const above = (values[0] as number) - 0.5;
    if (wanted.index === 1) return above > 0 ? 0 : Number.MIN_VALUE - above;
    return Math.max(0, above);
  }
  const value = values[wanted.index];
  if (value === undefined) throw new ShoalError('INVALID_ARGUMENT', `there is no class ${wanted.index}`);
  const best = indexOfLargest(values);
  // Of two that are the same the first counts as the largest.
  return best === wanted.index ? 0 : Math.max(Number.MIN_VALUE, (values[best] as number) - value);
}
