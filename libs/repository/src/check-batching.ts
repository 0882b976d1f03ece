import type { ModelConfig } from '@shoal/protocol';
import { invalid } from './refuse';

type DynamicBatching = NonNullable<ModelConfig['dynamic_batching']>;

/** Checks `max_batch_size` and `dynamic_batching` by Triton's rules and words. */
export function checkBatching(config: ModelConfig, model: string): void {
  if (config.max_batch_size < 0) throw invalid(`'max_batch_size' must be non-negative value for ${model}`);
  const batching = config.dynamic_batching;
  if (batching === null || batching === undefined) return;
  checkPriorities(batching, model);
  if (batching.preserve_ordering) checkOrdering(batching, model);
}

/**
 * Checks the preferred sizes against the maximum: apart from the rest, since the maximum may come from the model.
 */
export function checkPreferredSizes(config: ModelConfig, model: string): void {
  for (const size of config.dynamic_batching?.preferred_batch_size ?? []) {
    if (size <= 0) throw invalid(`dynamic batching preferred size must be positive for ${model}`);
    if (size > config.max_batch_size)
      throw invalid(`dynamic batching preferred size must be <= max batch size for ${model}`);
  }
}

function checkPriorities(batching: DynamicBatching, model: string): void {
  const levels = batching.priority_levels;
  const named = Object.keys(batching.priority_queue_policy).map(Number);
  if (levels === 0) return;
  const fallback = batching.default_priority_level;
  if (fallback === 0 || fallback > levels)
    throw invalid(`default priority level must be in range [1, ${levels}] for ${model}`);
  if (named.some((level) => level < 1 || level > levels))
    throw invalid(`priority queue policy must have priority level in range [1, ${levels}] for ${model}`);
}

function checkOrdering(batching: DynamicBatching, model: string): void {
  if (batching.priority_levels > 1)
    throw invalid(`Only one priority level is allowed when 'preserve_ordering' is true for ${model}`);
  const policies = [batching.default_queue_policy, ...Object.values(batching.priority_queue_policy)];
  for (const policy of policies) {
    if (policy !== null && policy.default_timeout_microseconds !== 0 && policy.timeout_action === 'DELAY')
      throw invalid(`Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for ${model}`);
  }
}
