import type { ModelConfig } from '@shoal/protocol';
import { withDefaults } from './model-config-type';
import { numericShape, type OnnxModelInfo } from './onnx-model-info';
import { invalid } from './refuse';
import { shapeText } from './shape-text';

/**
 * Decides `max_batch_size` where the model's signature is to be auto-completed. A model can batch if the first dimension of
 * every input and output is variable; then a missing maximum takes the default, and over 1 the dynamic batcher is on.
 */
export function completeMaxBatchSize(
  config: ModelConfig,
  info: OnnxModelInfo,
  defaultMaxBatchSize: number,
  warnings: string[],
): ModelConfig {
  const fixed = [...info.inputs, ...info.outputs].find((tensor) => numericShape(tensor)[0] !== -1);
  if (fixed) {
    if (config.max_batch_size <= 0) return config;
    throw invalid(
      `autofill failed for model '${config.name}': model does not support batching while non-zero max_batch_size is ` +
        `specified (the first dimension of '${fixed.name}' is not variable: its shape is ${shapeText(numericShape(fixed))})`,
    );
  }
  const completed = { ...config };
  if (completed.max_batch_size === 0) {
    completed.max_batch_size = Math.max(0, defaultMaxBatchSize);
    if (completed.max_batch_size > 0)
      warnings.push(
        `autofilled max_batch_size to ${completed.max_batch_size} for model '${config.name}' since batching is supported ` +
          'but no max_batch_size is specified in model configuration',
      );
  }
  const scheduled = completed.dynamic_batching || completed.sequence_batching || completed.ensemble_scheduling;
  if (completed.max_batch_size > 1 && !scheduled) {
    completed.dynamic_batching = withDefaults({ dynamic_batching: {} }).dynamic_batching ?? null;
    completed.scheduling_choice = 'dynamic_batching';
  }
  return completed;
}
