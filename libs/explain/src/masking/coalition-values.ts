import { ShoalError } from '@shoal/core';
import type { Link } from './link';

/**
 * What coalitions are worth, from the predictions of their rows: v(S) = link(Σ over background rows b of weight_b · f(x_S, b_rest)).
 * The link is applied to the mean, so that a background of several rows is one game.
 * @param predictions [coalitions × rowsPerMask × outputs]
 * @param weights [rowsPerMask], adding up to 1; undefined: all the same
 * @returns [coalitions × outputs]
 */
export function coalitionValues(
  predictions: Float64Array,
  rowsPerMask: number,
  outputs: number,
  link: Link,
  weights?: Float64Array,
): Float64Array {
  const block = rowsPerMask * outputs;
  const count = predictions.length / block;
  if (!Number.isInteger(count) || (weights !== undefined && weights.length !== rowsPerMask))
    throw new ShoalError(
      'INTERNAL',
      `${predictions.length} predictions are not those of whole coalitions of ${rowsPerMask} rows of ${outputs} outputs`,
    );
  const values = new Float64Array(count * outputs);
  for (let mask = 0; mask < count; mask++)
    for (let o = 0; o < outputs; o++) {
      let mean = 0;
      for (let row = 0; row < rowsPerMask; row++)
        mean += (weights?.[row] ?? 1 / rowsPerMask) * (predictions[mask * block + row * outputs + o] as number);
      values[mask * outputs + o] = link.apply(mean);
    }
  return values;
}
