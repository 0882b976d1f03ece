import type { ConfigOf, FlagTable } from '@shoal/config';
import { defaultBackgroundBatchMs } from '@shoal/scheduler';

/** What batching can be told. The bounds protect the process; a model's own `max_queue_size` is usually far smaller. */
export const batchingFlags = {
  maxQueueRequests: {
    name: 'max-queue-requests',
    type: 'integer',
    default: 16_384,
    min: 1,
    max: 10_000_000,
    value: 'COUNT',
    help: 'Requests that may wait for one model version; more are refused RESOURCE_EXHAUSTED. Lower it to fail early under overload.',
  },
  maxQueueRows: {
    name: 'max-queue-rows',
    type: 'integer',
    default: 1_048_576,
    min: 1,
    max: 1_000_000_000,
    value: 'COUNT',
    help: 'Batch items, summed over requests, that may wait for one model version.',
  },
  maxQueueBytes: {
    name: 'max-queue-bytes',
    type: 'integer',
    default: 4 * 1024 ** 3,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    value: 'BYTES',
    help: 'Bytes of inputs that may wait for one model version. The routers hold them in memory meanwhile.',
  },
  backgroundBatchMs: {
    name: 'background-batch-ms',
    type: 'number',
    default: defaultBackgroundBatchMs,
    min: 0.1,
    max: 60_000,
    value: 'MILLISECONDS',
    help: 'Run time to aim for with batches of background requests (explanations, shadow copies): what another request may find running before it; a fifth of it while such requests come. A single request that takes longer is run whole.',
  },
  batchingDrainTimeoutSecs: {
    name: 'batching-drain-timeout-secs',
    type: 'number',
    default: 30,
    min: 0,
    max: 86_400,
    value: 'SECONDS',
    help: 'How long batching waits at its end for what it has accepted; the rest is refused UNAVAILABLE.',
  },
} as const satisfies FlagTable;

/** The values of `batchingFlags`. */
export type BatchingConfig = ConfigOf<typeof batchingFlags>;
