/** Rows to be predicted, and who is told of the predictions. */
export interface Ask {
  readonly rows: number;
  /** Bytes of all rows, by explained input; absent: as many as that many rows of numbers have. */
  sizes?(): number[];
  /** Writes all rows of every explained input, raw contents. */
  write(into: readonly Uint8Array[]): void;
  /** Predictions, [rows × outputs] row-major. Asks are told in the order in which they were given out. */
  tell(predictions: Float64Array): void;
}

/** Where asks come from: a method and the shape of its questions. */
export interface AskSource {
  /** The next rows, about `maxRows` of them; undefined: none before more has been told, or none any more. */
  next(maxRows: number): Ask | undefined;
  readonly done: boolean;
  /**
   * Does a piece, of some milliseconds, of the computing that is to be done before anything else, at the beginning or after a `tell`;
   * false: nothing is left.
   */
  work?(): boolean;
}
