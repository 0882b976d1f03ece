import type { Estimator, MaskBatch, ShapleyResult } from '@shoal/explain';

/** What a coalition is worth, one number or one per output. */
export type Game = (mask: Uint8Array) => number | readonly number[];

/** Evaluates a batch one coalition at a time. */
export function play(game: Game): (batch: MaskBatch) => Float64Array {
  return ({ count, players, masks }) => {
    const values: number[] = [];
    for (let row = 0; row < count; row++) {
      const value = game(masks.subarray(row * players, (row + 1) * players));
      if (typeof value === 'number') values.push(value);
      else values.push(...value);
    }
    return Float64Array.from(values);
  };
}

/** Runs an estimator to its end, `ahead` batches of at most `max()` coalitions outstanding. */
export function drive<R>(
  estimator: Estimator<R>,
  evaluate: (batch: MaskBatch) => Float64Array,
  max: () => number = () => 64,
  ahead = 1,
): R {
  const outstanding: Float64Array[] = [];
  for (let turn = 0; turn < 1e6 && !estimator.done; turn++) {
    while (outstanding.length < ahead) {
      const batch = estimator.next(max());
      if (batch === undefined) break;
      outstanding.push(evaluate(batch));
    }
    const values = outstanding.shift();
    if (values === undefined) throw new Error('the estimator neither asks nor is done');
    estimator.tell(values);
  }
  const result = estimator.result();
  if (result === undefined) throw new Error('done without a result');
  return result;
}

/** Explains a game; the answer. */
export function explain(estimator: Estimator<ShapleyResult>, game: Game): ShapleyResult {
  return drive(estimator, play(game));
}

/** The values of one output as plain numbers. */
export function valuesOf(result: ShapleyResult, output = 0): number[] {
  return [...(result.outputs[output]?.values ?? [])];
}

/** The largest difference between two rows of numbers; NaN when they are not of one length or hold a NaN. */
export function furthest(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.NaN;
  return Math.max(0, ...Array.from(want, (value, i) => Math.abs(value - (got[i] as number))));
}

/** Expects `got` to be `want` within `tolerance`, element by element. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance = 1e-9): void {
  if (!(furthest(got, want) <= tolerance)) expect(Array.from(got)).toEqual(Array.from(want));
}
