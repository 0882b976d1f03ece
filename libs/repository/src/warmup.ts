import type { ModelConfig } from '@shoal/protocol';
import { maxWarmupElements, maxWarmupRuns } from './limits';
import { invalid } from './refuse';

/** Checks what a config says of warm-up requests; that they fit the model is found out by running them. */
export function checkWarmup(config: ModelConfig, model: string): void {
  for (const warmup of config.model_warmup) {
    const who = `warm-up '${warmup.name}' of model '${model}'`;
    if (config.max_batch_size > 0 && warmup.batch_size > config.max_batch_size)
      throw invalid(`${who} must have a batch size of at most ${config.max_batch_size}, got ${warmup.batch_size}`);
    if (warmup.count > maxWarmupRuns)
      throw invalid(`${who} must run at most ${maxWarmupRuns} times, got ${warmup.count}`);
    for (const [name, input] of Object.entries(warmup.inputs)) {
      if (input.data_type === 'TYPE_INVALID') throw invalid(`${who} must specify 'data_type' of input '${name}'`);
      if (!input.dims.every((dim) => dim >= 1)) throw invalid(`${who} must have dims >= 1 for input '${name}'`);
      const elements = input.dims.reduce((product, dim) => product * dim, Math.max(1, warmup.batch_size));
      if (elements > maxWarmupElements)
        throw invalid(`${who} has input '${name}' with more than ${maxWarmupElements} elements`);
    }
  }
}
