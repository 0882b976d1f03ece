import type { RunnerLimiter } from '@shoal/bus';
import type { ModelConfig } from '@shoal/protocol';

/** What the instance group of that instance says of resources and turns (`rate_limiter`); undefined where it says nothing. */
export function limiterOf(config: ModelConfig, instance: string): RunnerLimiter | undefined {
  const group = config.instance_group.find(({ name }, index) => {
    const prefix = `${name || `${config.name}_${index}`}_`;
    return instance.startsWith(prefix) && /^\d+(?:_gpu\d+)?$/.test(instance.slice(prefix.length));
  });
  if (!group?.rate_limiter) return undefined;
  const { resources, priority } = group.rate_limiter;
  return {
    resources: resources.map(({ name, count, global }) => ({ name, count, global })),
    // 0 is not given.
    priority: Math.max(1, priority),
  };
}
