import type { Duration, VersionStatistics } from '@shoal/bus';
import { sumStatistics } from './sum-statistics';

/** All counts `n`. */
function counted(model: string, n: number, sizes: readonly number[]): VersionStatistics {
  const d: Duration = { count: n, ns: 10 * n };
  const durations = { success: d, fail: d, queue: d, computeInput: d, computeInfer: d, computeOutput: d };
  const batches = sizes.map((batchSize) => ({ batchSize, computeInput: d, computeInfer: d, computeOutput: d }));
  return { model, version: 1, lastInferenceMs: n, inferenceCount: n, executionCount: n, ...durations, batches };
}

test('a queue that moved counts as one', () => {
  const [a, b, ...more] = sumStatistics([counted('a', 1, [4, 1]), counted('b', 5, [2]), counted('a', 2, [8, 4])]);
  const three = { count: 3, ns: 30 };
  expect(a).toMatchObject({ model: 'a', lastInferenceMs: 2, inferenceCount: 3, executionCount: 3, success: three });
  expect(a?.batches.map(({ batchSize, computeInfer }) => [batchSize, computeInfer.count])).toEqual([
    [1, 1],
    [4, 3],
    [8, 2],
  ]);
  expect(b).toEqual(counted('b', 5, [2]));
  expect(more).toEqual([]);
});
