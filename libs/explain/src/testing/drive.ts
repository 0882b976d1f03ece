import type { GradientEstimator } from '../gradient/gradient-estimator';
import { gradientName, type GradientTwin } from '../gradient/twin';
import { floats, oneHot, RunningModel, type Values } from './run-model';

export interface Question {
  /** The explained input (or fed tensor) and the shape of one row of it. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly outputs: number;
  readonly chosen: number;
  /** Other inputs of the twin for a number of rows. */
  readonly others?: (rows: number) => Record<string, Values>;
  /** Rows at a time; without: 16. */
  readonly max?: number;
}

/** Asks a twin what an estimator wants to know until it is done. */
export async function drive<R>(estimator: GradientEstimator<R>, twin: GradientTwin, question: Question): Promise<R> {
  const { name, shape, outputs, chosen, others, max = 16 } = question;
  const model = await RunningModel.load(twin.model);
  try {
    for (let batch = estimator.next(max); batch !== undefined; batch = estimator.next(max)) {
      const feeds = { [name]: floats([batch.count, ...shape], batch.rows), ...others?.(batch.count) };
      const answer = await model.run({ ...feeds, ...oneHot(batch.count, outputs, chosen) });
      const values = Float64Array.from({ length: batch.count }, (_, row) =>
        Number(answer[twin.output]?.data[row * outputs + chosen]),
      );
      estimator.tell({ gradients: Float64Array.from(answer[gradientName(name)]?.data as Float32Array), values });
    }
    return estimator.result() as R;
  } finally {
    await model.release();
  }
}
