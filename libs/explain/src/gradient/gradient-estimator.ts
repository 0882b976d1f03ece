import type { RowBatch } from '../estimator';

/** What a gradient twin says of rows: the explained output, and how it moves with each feature. */
export interface GradientAnswers {
  /** [count × features], row-major. */
  readonly gradients: Float64Array;
  /** [count]. */
  readonly values: Float64Array;
}

/** As a RowEstimator, for methods that ask for gradients: each row is answered by its output and its gradient. */
export interface GradientEstimator<R> {
  /** The next rows, at most `max`; undefined: no more. */
  next(max: number): RowBatch | undefined;
  /** Answers to the oldest batch not yet told. */
  tell(answers: GradientAnswers): void;
  readonly done: boolean;
  /** The best answer so far; undefined before there is one. */
  result(): R | undefined;
}

/** A method of which the number of rows is known beforehand and each row is used once, in order. */
export interface RowPlan<R> {
  readonly features: number;
  readonly total: number;
  /** Writes row `index` to `into[offset…]`. Called once for each row, in order. */
  write(index: number, into: Float64Array, offset: number): void;
  /** Takes the answer to row `index`; its gradient is `gradients[offset…]`. Called in order. */
  absorb(index: number, gradients: Float64Array, offset: number, value: number): void;
  result(): R | undefined;
}

/** Gives out a plan's rows in batches and hands the answers back to it. */
export class PlannedEstimator<R> implements GradientEstimator<R> {
  private readonly plan: RowPlan<R>;
  private given = 0;
  private told = 0;

  constructor(plan: RowPlan<R>) {
    this.plan = plan;
  }

  next(max: number): RowBatch | undefined {
    const { features, total } = this.plan;
    const count = Math.min(max, total - this.given);
    if (count <= 0) return undefined;
    const rows = new Float64Array(count * features);
    for (let row = 0; row < count; row += 1) this.plan.write(this.given + row, rows, row * features);
    this.given += count;
    return { count, features, rows };
  }

  tell({ gradients, values }: GradientAnswers): void {
    const { features } = this.plan;
    for (const [row, value] of values.entries()) this.plan.absorb(this.told + row, gradients, row * features, value);
    this.told += values.length;
  }

  get done(): boolean {
    return this.told >= this.plan.total;
  }

  result(): R | undefined {
    return this.plan.result();
  }
}
