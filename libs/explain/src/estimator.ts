/** Coalitions to evaluate: `count` rows of `players` bytes, 1 = present (from the explained row), 0 = absent (from the baseline). */
export interface MaskBatch {
  readonly count: number;
  readonly players: number;
  /** [count × players], row-major. */
  readonly masks: Uint8Array;
}

/**
 * An algorithm that asks a game for values: it says which coalitions it wants to know and is told what they are worth. It
 * never waits, so whoever drives it decides how many batches are under way at a time.
 *
 * The answer depends on the seed alone: what `next` gives is a function of the seed, of how many masks were given out
 * before, and of what was told at fixed points (a round's end); never of `max`, nor of how many batches are outstanding.
 * A decision to stop is taken in `tell`; what was given out beyond it is ignored when it is told.
 */
export interface Estimator<R> {
  /** The next coalitions, at most `max`; undefined: it wants none before it has been told more, or none any more. */
  next(max: number): MaskBatch | undefined;
  /** Values of the oldest batch not yet told, [count × outputs] row-major: batches are told in the order they were given out. */
  tell(values: Float64Array): void;
  /** Nothing more is wanted: converged, exact, or out of budget. */
  readonly done: boolean;
  /** The best answer so far; undefined before there is one. */
  result(): R | undefined;
  /**
   * Does a piece, of some milliseconds, of the computing that the last `tell` left to be done; false: nothing is left. Who has others
   * to attend to calls it in between, before anything else; for who does not, `next` and `done` finish what is left. Until then
   * `result` is of what has been computed.
   */
  work?(): boolean;
}

/** Perturbed rows, as feature values, [count × features] row-major; whoever evaluates them encodes them in the input's data type. */
export interface RowBatch {
  readonly count: number;
  readonly features: number;
  readonly rows: Float64Array;
}

/** As {@link Estimator}, for methods that perturb values rather than switch players on and off. */
export interface RowEstimator<R> {
  next(max: number): RowBatch | undefined;
  /** Values of the oldest batch not yet told, [count × outputs] row-major. */
  tell(values: Float64Array): void;
  readonly done: boolean;
  result(): R | undefined;
}
