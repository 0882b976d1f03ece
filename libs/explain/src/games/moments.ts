/** Means and standard errors of many quantities observed together (Welford's update). */
export class Moments {
  readonly mean: Float64Array;
  private readonly squares: Float64Array;
  count = 0;

  constructor(size: number) {
    this.mean = new Float64Array(size);
    this.squares = new Float64Array(size);
  }

  /** One more observation, [size]. */
  add(observed: Float64Array): void {
    this.count++;
    const { mean, squares } = this;
    for (let i = 0; i < mean.length; i++) {
      const delta = (observed[i] as number) - (mean[i] as number);
      mean[i] = (mean[i] as number) + delta / this.count;
      squares[i] = (squares[i] as number) + delta * ((observed[i] as number) - (mean[i] as number));
    }
  }

  /** Standard errors of the means of [from, to); NaN with fewer than two observations. */
  errors(from = 0, to = this.mean.length): Float64Array {
    const errors = new Float64Array(to - from);
    for (let i = from; i < to; i++)
      errors[i - from] =
        this.count < 2 ? Number.NaN : Math.sqrt((this.squares[i] as number) / (this.count * (this.count - 1)));
    return errors;
  }
}
