import type { ModelConfig } from '@shoal/protocol';
import { type QueuePolicy, type TimeoutPolicy, patientTimeout, queuePolicy } from '@shoal/scheduler';

type QueuePolicyMessage = NonNullable<NonNullable<ModelConfig['dynamic_batching']>['default_queue_policy']>;

/** What no config says. */
export type QueueLimits = Pick<QueuePolicy, 'bounds' | 'backgroundBatchMs'> &
  Partial<Pick<QueuePolicy, 'batchEfficiency' | 'planDeadlines' | 'deferred' | 'maxWaitMs'>>;

/**
 * How a model's requests are queued and batched, from its config (inference.ModelConfig, normalised). Where the config
 * contradicts itself (the repository refuses such models) what makes sense of it is taken.
 */
export function compileQueuePolicy(config: ModelConfig, limits: QueueLimits): QueuePolicy {
  const maxBatchSize = Math.max(1, config.max_batch_size);
  const dynamic = config.dynamic_batching;
  if (!dynamic) return queuePolicy({ maxBatchSize, ...limits });
  const priorityLevels = Math.max(1, dynamic.priority_levels);
  const level = dynamic.default_priority_level;
  return queuePolicy({
    maxBatchSize,
    dynamic: true,
    preferredSizes: dynamic.preferred_batch_size.filter((size) => size >= 1 && size <= maxBatchSize),
    maxDelayMs: dynamic.max_queue_delay_microseconds / 1000,
    preserveOrdering: dynamic.preserve_ordering,
    priorityLevels,
    defaultLevel: level >= 1 && level <= priorityLevels ? level : 1,
    defaultTimeout: timeoutPolicyOf(dynamic.default_queue_policy),
    levelTimeouts: new Map(
      Object.entries(dynamic.priority_queue_policy).map(([key, policy]) => [Number(key), timeoutPolicyOf(policy)]),
    ),
    ...limits,
  });
}

function timeoutPolicyOf(policy: QueuePolicyMessage | null): TimeoutPolicy {
  if (!policy) return patientTimeout;
  return {
    action: policy.timeout_action === 'DELAY' ? 'delay' : 'reject',
    timeoutMs: policy.default_timeout_microseconds / 1000,
    allowOverride: policy.allow_timeout_override,
    maxQueueSize: policy.max_queue_size,
  };
}
