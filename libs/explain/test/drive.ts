import type { Estimator, MaskBatch, RowBatch, ShapleyResult } from '@shoal/explain';

/** What a coalition is worth, or the model says of a row: one number or one per output. */
export type Game<A = Uint8Array> = (asked: A) => number | readonly number[];

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

/** Evaluates a batch one row at a time. */
export function predict(model: Game<Float64Array>): (batch: RowBatch) => Float64Array {
  const evaluate = play(model as unknown as Game);
  return ({ count, features, rows }) => evaluate({ count, players: features, masks: rows as unknown as Uint8Array });
}

/** What estimators of coalitions and of rows have in common. */
export interface Asks<R, B> {
  next(max: number): B | undefined;
  tell(values: Float64Array): void;
  readonly done: boolean;
  result(): R | undefined;
}

/** Runs an estimator to its end, `ahead` batches of at most `max()` questions outstanding. */
export function drive<R, B>(
  estimator: Asks<R, B>,
  evaluate: (batch: B) => Float64Array,
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
