import type { ModelConfig } from '@shoal/protocol';
import { checkCompleteConfig } from './check-config';
import { checkAgainstModel } from './check-model';
import { completeMaxBatchSize } from './complete-batching';
import { completeInstanceGroups } from './complete-instances';
import { completeTensors, withoutInitializers } from './complete-io';
import { emptyModelConfig, withDefaults } from './model-config-type';
import type { OnnxModelInfo } from './onnx-model-info';
import { withPlatform } from './platform';
import { invalid } from './refuse';

/** What auto-completion cannot learn from config or model. */
export interface CompleteOptions {
  /** `max_batch_size` of a model that can batch and whose config gives none; Triton's default is 4, and 0 turns it off. */
  readonly defaultMaxBatchSize?: number;
  /** Ids of the GPUs that can be used; [] if there is none or none is known. */
  readonly gpus?: readonly number[];
  /** Instances per group where the config gives no count. */
  readonly defaultInstanceCount?: number;
}

export interface CompletedConfig {
  /** Complete, normalised and checked against the model: what ModelConfig shows. */
  readonly config: ModelConfig;
  /** For the log: what was decided that its author might not expect. */
  readonly warnings: readonly string[];
}

/** Microseconds after which a sequence without requests is given up, unless the config says otherwise. */
const defaultSequenceIdleUs = 1_000_000;

/**
 * Completes a config from the loaded model and normalises it as Triton does, then checks one against the other.
 * `model` is the folder's name; no config at all is an empty one. Throws INVALID_ARGUMENT in Triton's words.
 *
 * Inputs and outputs are completed where the config has none, or where a data type or dims are missing; only a config that
 * lacks all inputs or all outputs also gets `max_batch_size` and the dynamic batcher (so Triton).
 */
export function completeConfig(
  model: string,
  config: ModelConfig | undefined,
  info: OnnxModelInfo,
  options: CompleteOptions = {},
): CompletedConfig {
  const warnings: string[] = [];
  let completed = withPlatform(structuredClone(config ?? emptyModelConfig()));
  if (completed.name === '') completed.name = model;
  if (completed.name !== model)
    throw invalid(
      `unexpected directory name '${model}' for model '${completed.name}', directory name must equal model name`,
    );
  if (completed.input.length === 0 || completed.output.length === 0)
    completed = completeMaxBatchSize(completed, info, options.defaultMaxBatchSize ?? 4, warnings);
  completed = completeTensors(completed, info);
  completed = withoutInitializers(completed, info, warnings);
  completed = normalise(completed, options, warnings);
  checkCompleteConfig(completed, model);
  checkAgainstModel(completed, info);
  return { config: completed, warnings };
}

/** Fills what Triton fills in every config, whoever wrote it. */
function normalise(config: ModelConfig, options: CompleteOptions, warnings: string[]): ModelConfig {
  const filled = withDefaults(config);
  filled.version_policy ??= { latest: { num_versions: 1 }, policy_choice: 'latest' };
  const preferred = filled.dynamic_batching?.preferred_batch_size;
  if (preferred?.length === 0 && filled.max_batch_size > 0) preferred.push(filled.max_batch_size);
  const sequences = filled.sequence_batching;
  if (sequences) {
    sequences.max_sequence_idle_microseconds ||= defaultSequenceIdleUs;
    const oldest = sequences.oldest?.preferred_batch_size;
    if (oldest?.length === 0 && filled.max_batch_size > 0) oldest.push(filled.max_batch_size);
  }
  filled.optimization ??= withDefaults({ optimization: {} }).optimization;
  if (filled.optimization) {
    filled.optimization.input_pinned_memory ??= { enable: true };
    filled.optimization.output_pinned_memory ??= { enable: true };
  }
  filled.instance_group = completeInstanceGroups(filled, options, warnings);
  return withDefaults(filled);
}
