import type { ModelConfig } from '@shoal/protocol';
import { maxInstances } from './limits';
import { invalid } from './refuse';

/** Checks instance groups by Triton's rules and words. A count of 0 is not given and so takes its default. */
export function checkInstanceGroups(config: ModelConfig, model: string): void {
  let total = 0;
  for (const [index, group] of config.instance_group.entries()) {
    const who = `instance group ${group.name || `${model}_${index}`} of model ${model}`;
    if (group.count < 0) throw invalid(`${who} has a negative count`);
    if (group.gpus.some((gpu) => gpu < 0)) throw invalid(`${who} specifies an invalid gpu id: ids are >= 0`);
    if (new Set(group.gpus).size !== group.gpus.length) throw invalid(`${who} names a GPU more than once`);
    if ((group.kind === 'KIND_CPU' || group.kind === 'KIND_MODEL') && group.gpus.length > 0)
      throw invalid(`${who} has kind ${group.kind} but specifies one or more GPUs`);
    if (group.profile.length > 0)
      throw invalid(`${who} specifies profile field which is only supported for TensorRT models`);
    total += Math.max(1, group.count) * Math.max(1, group.gpus.length);
  }
  if (total > maxInstances)
    throw invalid(`model ${model} asks for ${total} instances, at most ${maxInstances} are allowed`);
}
