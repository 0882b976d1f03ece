import type { BenchRow } from '@shoal/load';
import { readProfile } from '@shoal/scheduler';
import { sizesOf } from './profile-command';
import { toProfile } from './to-profile';

const dynamic = { preferred_batch_size: [], max_queue_delay_microseconds: 0 };

/** A window of a server whose runs take `ms`, and whose answers come after `p50`. */
function row(ms: number, p50: number, queueMs = 0, executions = 100): BenchRow {
  const latency = { count: 100, mean: p50, min: p50 - 1, max: p50 + 9, stddev: 1, p50, p90: p50 + 1, p95: p50 + 2 };
  const server = { executions, queueMs, computeInputMs: 0, computeInferMs: ms, computeOutputMs: 0 };
  return { windowMs: 1000, latency: { ...latency, p99: p50 + 5, p999: p50 + 9 }, server } as unknown as BenchRow;
}

test('of each size the median round counts; what is around a run and the turn between two are apart', () => {
  const profile = toProfile(
    'm',
    { max_batch_size: 8, dynamic_batching: dynamic },
    [
      { rows: 1, windows: [row(4, 7), row(90, 99), row(3.9, 7)] },
      { rows: 8, windows: [row(11, 14), row(11, 14), row(1, 2)] },
    ],
    // 200 executions in a second, of 4 ms each: 1 ms between two of them.
    { windows: [row(4, 9, 4, 200)] },
  );
  expect(profile.points.map(({ rows, runMs }) => [rows, runMs])).toEqual([
    [1, 4],
    [8, 11],
  ]);
  expect(profile).toMatchObject({ fixedMs: 3, rowMs: 1, maxBatchSize: 8, dynamicBatching: true });
  expect(profile).toMatchObject({ overheadMs: 2.5, transferMs: 0.5, doneMs: 0.5 });
  expect(profile.points[0]?.noiseMs).toEqual([
    ...[
      [0, -1],
      [0.5, 0],
      [0.9, 1],
      [0.95, 2],
    ],
    ...[
      [0.99, 5],
      [0.999, 9],
      [1, 9],
    ],
  ]);
  expect(readProfile(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
});

test('of a server without statistics all of the latency is the run', () => {
  const silent = { ...row(0, 7), server: null };
  const profile = toProfile('m', { max_batch_size: 0 }, [{ rows: 1, windows: [silent] }], undefined);
  expect(profile).toMatchObject({ fixedMs: 7, rowMs: 0, overheadMs: 0, maxBatchSize: 1, dynamicBatching: false });
});

test('sizes: powers of two and the largest, or as asked', () => {
  expect([1, 2, 6, 8].map((largest) => sizesOf('', largest))).toEqual([[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]);
  expect(sizesOf('8,1,8', 8)).toEqual([1, 8]);
  expect(() => sizesOf('1,9', 8)).toThrow('--sizes=1,9: expected batch sizes from 1 to 8');
});
