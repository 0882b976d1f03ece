import { parseModelConfig } from '@shoal/repository';
import { defaultBounds as bounds } from '@shoal/scheduler';
import { compileQueuePolicy } from './compile-policy';

const compile = (text: string) => compileQueuePolicy(parseModelConfig(text, 'm'), { bounds, backgroundBatchMs: 7 });

test('a model without dynamic_batching runs each request alone', () => {
  expect(compile('max_batch_size: 8')).toMatchObject({
    dynamic: false,
    maxBatchSize: 8,
    maxDelayMs: 0,
    priorityLevels: 1,
  });
  expect(compile('')).toMatchObject({ dynamic: false, maxBatchSize: 1 });
});

test('an empty dynamic_batching aims for the largest batch and waits for nobody', () => {
  expect(compile('max_batch_size: 8 dynamic_batching { }')).toMatchObject({
    dynamic: true,
    preferredSizes: [8],
    maxDelayMs: 0,
    preserveOrdering: false,
    defaultLevel: 1,
    defaultTimeout: { action: 'reject', timeoutMs: 0, allowOverride: false, maxQueueSize: 0 },
  });
});

test('every field of dynamic_batching is taken', () => {
  const policy = compile(`
    max_batch_size: 8
    dynamic_batching {
      preferred_batch_size: [ 8, 4 ] max_queue_delay_microseconds: 500 preserve_ordering: true
      priority_levels: 3 default_priority_level: 2
      default_queue_policy { timeout_action: REJECT default_timeout_microseconds: 1000000 allow_timeout_override: true max_queue_size: 64 }
      priority_queue_policy { key: 3 value { timeout_action: DELAY default_timeout_microseconds: 2500 } }
    }`);
  expect(policy).toEqual({
    dynamic: true,
    maxBatchSize: 8,
    preferredSizes: [4, 8],
    maxDelayMs: 0.5,
    preserveOrdering: true,
    priorityLevels: 3,
    defaultLevel: 2,
    defaultTimeout: { action: 'reject', timeoutMs: 1000, allowOverride: true, maxQueueSize: 64 },
    levelTimeouts: new Map([[3, { action: 'delay', timeoutMs: 2.5, allowOverride: false, maxQueueSize: 0 }]]),
    bounds,
    backgroundBatchMs: 7,
    batchEfficiency: 1,
    planDeadlines: false,
    deferred: false,
    maxWaitMs: Infinity,
  });
});

test('contradictions and absurd numbers do no harm', () => {
  expect(
    compile(
      'dynamic_batching { preferred_batch_size: [ 0, 99 ] priority_levels: 18446744073709551615 default_priority_level: 0 }',
    ),
  ).toMatchObject({ maxBatchSize: 1, preferredSizes: [1], defaultLevel: 1 });
});
