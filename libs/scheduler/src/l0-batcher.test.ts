import { World } from '../test/world';
import type { QueuePolicy } from './policy';

/*
 * The compositions that Triton's own suite, L0_batcher, asserts: which requests leave together, and when. An offer is
 * [milliseconds, rows, shape]; a batch is rows@milliseconds. `delayed`: the batcher looks at the queue only when all are in it, and
 * so long after (there, TRITONSERVER_DELAY_SCHEDULER).
 */
interface Scenario {
  readonly offers: readonly (readonly [at: number, rows: number, shape?: string])[];
  readonly batches: readonly string[];
  readonly policy?: Partial<QueuePolicy>;
  readonly delayed?: number;
}

const preferred = { dynamic: true, maxBatchSize: 8, preferredSizes: [2, 6], maxDelayMs: 500 };
const preferredOnly = { dynamic: true, maxBatchSize: 8, preferredSizes: [4, 6] };
const delayOnly = { dynamic: true, maxBatchSize: 8, maxDelayMs: 500 };

const singles = (count: number) => Array.from({ length: count }, () => [0, 1] as const);

const scenarios: Readonly<Record<string, Scenario>> = {
  static_batch_preferred: {
    offers: [
      [0, 2],
      [50, 6],
    ],
    batches: ['2@0', '6@50'],
  },
  static_batch_lt_any_preferred: { offers: [[0, 1]], batches: ['1@500'] },
  static_batch_not_preferred: { offers: [[0, 3]], batches: ['3@500'] },
  static_batch_gt_max_preferred: { offers: [[0, 7]], batches: ['7@0'] },
  multi_batch_different_shape_allow_ragged: {
    // Routers give requests the same key whatever the shapes of ragged inputs.
    offers: [
      [0, 1],
      [0, 1],
    ],
    batches: ['2@0'],
  },
  multi_batch_different_shape: {
    offers: [
      [0, 1, '16'],
      [0, 1, '8'],
    ],
    batches: ['1@0', '1@500'],
  },
  multi_batch_not_preferred: {
    offers: [
      [0, 1],
      [20, 3],
    ],
    batches: ['4@500'],
  },
  multi_batch_not_preferred_different_shape: {
    offers: [
      [0, 1, '16'],
      [20, 3, '8'],
    ],
    batches: ['1@20', '3@520'],
  },
  multi_batch_preferred_different_shape: {
    offers: [
      [0, 1, '16'],
      [10, 1, '16'],
      [20, 4, '8'],
      [30, 2, '8'],
    ],
    batches: ['2@10', '6@30'],
  },
  multi_batch_gt_max_preferred: {
    offers: [
      [0, 3],
      [20, 7],
    ],
    batches: ['3@20', '7@30'],
  },
  multi_batch_sum_gt_max_preferred: {
    offers: [
      [0, 3],
      [20, 4],
    ],
    batches: ['3@20', '4@520'],
  },
  multi_same_output: {
    offers: [
      [0, 1],
      [0, 1],
    ],
    batches: ['2@0'],
  },
  multi_batch_delayed_sum_gt_max_preferred: {
    offers: [
      [0, 3],
      [10, 4],
    ],
    delayed: 0,
    batches: ['3@10', '4@510'],
  },
  multi_batch_delayed_use_max_batch: {
    offers: [
      [0, 3],
      [10, 4],
    ],
    delayed: 500,
    batches: ['7@510'],
  },
  multi_batch_delayed_preferred_different_shape: {
    offers: [
      [0, 1, '16'],
      [0, 1, '16'],
      [0, 4, '8'],
      [0, 2, '8'],
    ],
    delayed: 0,
    batches: ['2@0', '6@10'],
  },
  multi_batch_use_biggest_preferred: { offers: singles(6), delayed: 0, batches: ['6@0'] },
  multi_batch_use_best_preferred: { offers: singles(3), delayed: 0, batches: ['2@0', '1@500'] },
  preferred_batch_only_aligned: { policy: preferredOnly, offers: singles(4), delayed: 0, batches: ['4@0'] },
  preferred_batch_only_unaligned: { policy: preferredOnly, offers: singles(5), delayed: 0, batches: ['4@0', '1@10'] },
  preferred_batch_only_use_biggest_preferred: {
    policy: preferredOnly,
    offers: singles(7),
    delayed: 0,
    batches: ['6@0', '1@10'],
  },
  preferred_batch_only_use_no_preferred_size: {
    policy: preferredOnly,
    offers: singles(3),
    delayed: 0,
    batches: ['3@0'],
  },
  max_queue_delay_only_non_default: { policy: delayOnly, offers: singles(12), batches: ['8@0', '4@500'] },
  max_queue_delay_only_default: {
    policy: { ...delayOnly, maxDelayMs: 0 },
    offers: singles(12),
    batches: ['1@0', '8@10', '3@20'],
  },
};

test.each(Object.entries(scenarios))('%s', (_, { policy = preferred, offers, batches, delayed }) => {
  const world = World.withQueue(policy, delayed === undefined ? 1 : 0, 1);
  for (const [at, rows, shapeKey = ''] of offers) {
    world.until(at);
    world.offer('request', { rows, shapeKey });
  }
  if (delayed !== undefined) {
    world.until(world.now + delayed);
    world.scheduler.addRunner(world.now, 'r0', 'm/1@a', 1);
  }
  world.until(Infinity);
  expect(world.batches.map(({ rows, dispatchedAt }) => `${rows}@${dispatchedAt}`)).toEqual(batches);
});
