import type { ExplainedOutput } from './explanation';

/** An output with a map of pixels, and what its numbers are compared with. */
export interface CentredOutput {
  readonly output: ExplainedOutput;
  /** What was taken away from all of them; undefined: nothing. */
  readonly mean: number | undefined;
}

/**
 * Maps that are nowhere near zero (mean outputs, as RISE has) are shown against their own mean: what stands out is what matters. Those in
 * which zero means "nothing" stay as they are.
 */
export function centred(output: ExplainedOutput): CentredOutput {
  const { map, values } = output;
  const known = map?.values.filter((value) => Number.isFinite(value)) ?? [];
  const isOneSided = known.length > 0 && (known.every((value) => value > 0) || known.every((value) => value < 0));
  if (!map || !isOneSided) return { output, mean: undefined };
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const less = (value: number) => value - mean;
  return { output: { ...output, values: values.map(less), map: { ...map, values: map.values.map(less) } }, mean };
}
