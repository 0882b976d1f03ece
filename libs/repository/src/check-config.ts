import type { ModelConfig } from '@shoal/protocol';
import { checkBatchIo } from './check-batch-io';
import { checkBatching, checkPreferredSizes } from './check-batching';
import { checkInstanceGroups } from './check-instances';
import { checkTensors } from './check-io';
import { modelFilenameTrouble } from './file-names';
import { invalid } from './refuse';
import { checkWarmup } from './warmup';

/**
 * Checks a config as it is written, before the model is loaded: what no model could make good. Throws INVALID_ARGUMENT in
 * Triton's words. `model` is the folder's name.
 */
export function checkConfig(config: ModelConfig, model: string): void {
  checkWhole(config, model);
  checkTensors(config, model, false);
}

/** Checks a completed config: everything must be there now. */
export function checkCompleteConfig(config: ModelConfig, model: string): void {
  checkWhole(config, model);
  checkTensors(config, model, true);
  checkPreferredSizes(config, model);
  checkBatchIo(config, model);
}

function checkWhole(config: ModelConfig, model: string): void {
  if (config.name !== '' && config.name !== model)
    throw invalid(
      `unexpected directory name '${model}' for model '${config.name}', directory name must equal model name`,
    );
  const trouble = modelFilenameTrouble(config.default_model_filename);
  if (trouble !== undefined)
    throw invalid(`default_model_filename '${config.default_model_filename}' of model '${model}' ${trouble}`);
  checkBatching(config, model);
  checkInstanceGroups(config, model);
  checkResponseCache(config, model);
  checkWarmup(config, model);
}

function checkResponseCache(config: ModelConfig, model: string): void {
  if (config.response_cache?.enable !== true) return;
  const advice = 'Please disable the response cache.';
  if (config.sequence_batching)
    throw invalid(
      `Response Cache does not currently support model ${model} with sequence batching scheduler. ${advice}`,
    );
  if (config.model_transaction_policy?.decoupled)
    throw invalid(
      `Response Cache does not currently support model ${model} with 'decoupled' transaction policy. ${advice}`,
    );
}
