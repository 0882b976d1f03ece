/** Mean and standard error of vectors that come one after the other (Welford's update: no cancellation). */
export class RunningMean {
  readonly mean: Float64Array;
  private readonly squares: Float64Array;
  private seen = 0;

  constructor(length: number) {
    this.mean = new Float64Array(length);
    this.squares = new Float64Array(length);
  }

  get count(): number {
    return this.seen;
  }

  /** Counts one vector, `at(index)` its components. */
  add(at: (index: number) => number): void {
    this.seen += 1;
    for (let index = 0; index < this.mean.length; index += 1) {
      const value = at(index);
      const before = value - (this.mean[index] as number);
      this.mean[index] = (this.mean[index] as number) + before / this.seen;
      this.squares[index] = (this.squares[index] as number) + before * (value - (this.mean[index] as number));
    }
  }

  /** Standard errors of the means; NaN before the second vector. */
  standardErrors(): Float64Array {
    const scale = this.seen < 2 ? Number.NaN : 1 / (this.seen * (this.seen - 1));
    return this.squares.map((sum) => Math.sqrt(sum * scale));
  }
}
