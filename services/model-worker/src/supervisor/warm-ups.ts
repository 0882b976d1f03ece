import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { ShoalError } from '@shoal/core';
import type { ModelConfig } from '@shoal/protocol';
import type { WarmupInput, WarmupSample } from '../control-messages';

/** More runs than this are a mistake, or mischief. */
const maxRuns = 10_000;

/**
 * Compiles a config's `model_warmup` into what the runner does before it is ready. Files must lie in the model's `warmup`
 * folder, also after symbolic links are followed. Throws INVALID_ARGUMENT.
 */
export function compileWarmUps(config: ModelConfig, modelFolder: string): WarmupSample[] {
  return config.model_warmup.map((sample) => {
    const refuse = (why: string) => new ShoalError('INVALID_ARGUMENT', `warmup sample '${sample.name}': ${why}`);
    const count = sample.count || 1;
    if (count > maxRuns) throw refuse(`count ${count} is over ${maxRuns}`);
    if (sample.batch_size > Math.max(config.max_batch_size, 1)) {
      throw refuse(`batch_size ${sample.batch_size} is over the model's max_batch_size ${config.max_batch_size}`);
    }
    const inputs = Object.entries(sample.inputs).map(([name, input]): WarmupInput => {
      const known = config.input.find((one) => one.name === name);
      if (!known) throw refuse(`the model has no input '${name}'`);
      if (known.data_type !== input.data_type) {
        throw refuse(`input '${name}' is ${input.data_type}, but model '${config.name}' expects ${known.data_type}`);
      }
      const dims = input.dims.map(Number);
      if (input.input_data_type === 'zero_data') return { name, dims, source: 'zero' };
      if (input.input_data_type === 'random_data') return { name, dims, source: 'random' };
      if (input.input_data_type !== 'input_data_file') throw refuse(`input '${name}' has no data`);
      const path = fileWithin(join(modelFolder, 'warmup'), input.input_data_file ?? '');
      if (path === undefined) throw refuse(`the file of input '${name}' is not in the model's warmup folder`);
      return { name, dims, source: 'file', path };
    });
    return {
      name: sample.name,
      batchSize: config.max_batch_size > 0 ? Math.max(1, sample.batch_size) : 0,
      count,
      inputs,
    };
  });
}

function fileWithin(folder: string, file: string): string | undefined {
  try {
    const home = realpathSync(folder);
    const path = realpathSync(join(folder, file));
    return path.startsWith(home + sep) ? path : undefined;
  } catch {
    return undefined;
  }
}
