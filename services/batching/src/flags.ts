import type { ConfigOf, FlagTable } from '@shoal/config';
import { defaultBackgroundBatchMs, defaultBatchEfficiency } from '@shoal/scheduler';

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
  batchEfficiency: {
    name: 'batch-efficiency',
    type: 'number',
    default: defaultBatchEfficiency,
    min: 0.1,
    max: 1,
    value: 'SHARE',
    help: 'A batch is large enough at this share of the rows per second that the largest ones would reach, by what was learnt of the model; 1: always as large as the model allows. Where a config names preferred sizes or a delay, these count.',
  },
  planDeadlines: {
    name: 'plan-deadlines',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'Forms no batch that would be too late for the earliest deadline in it, and fails DEADLINE_EXCEEDED, before it runs, what can no longer make its deadline; both by what was learnt of the model.',
  },
  deferredBatching: {
    name: 'deferred-batching',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Idle runners wait for larger batches for as long as the earliest deadline of the requests allows, by what was learnt of the model: fuller batches on fewer devices, answers just in time. Requests without a deadline wait for nobody.',
  },
  rateLimit: {
    name: 'rate-limit',
    type: 'string',
    default: 'off',
    choices: ['off', 'execution_count', 'device_time'],
    value: 'MODE',
    help: "Who runs when several models share a device. off: whoever can. execution_count: Triton's rate limiter: instances run when the resources are free that their instance group's rate_limiter names, and take turns by its priority. device_time: the same, at most --device-batches run at once on a device that several models share, and turns are measured by the time that batches take, so that a flood on one model leaves the others their share.",
  },
  rateLimitResource: {
    name: 'rate-limit-resource',
    type: 'strings',
    default: [],
    value: 'NAME:COUNT[:DEVICE]',
    help: 'How many there are of a resource, on each device or on the GPU of that number; without, as many as the neediest instance needs. May be given several times.',
  },
  deviceBatches: {
    name: 'device-batches',
    type: 'integer',
    default: 1,
    min: 1,
    max: 1024,
    value: 'COUNT',
    help: 'Batches that may run at once on a device that several models share, with --rate-limit=device_time.',
  },
  latencyFile: {
    name: 'latency-file',
    type: 'string',
    default: '',
    value: 'PATH',
    help: 'Keeps what is learnt of models in this file, so that it is known again after a restart. A cluster with NATS keeps it there without one.',
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
