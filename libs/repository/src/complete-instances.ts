import type { ModelConfig } from '@shoal/protocol';
import { withDefaults } from './model-config-type';
import { invalid } from './refuse';

type InstanceGroup = ModelConfig['instance_group'][number];

/**
 * Names the instance groups and settles kind, count and GPUs: no group is one of kind AUTO; AUTO is GPU if there are GPUs
 * and all that it names are there, else CPU; a GPU group that names none takes all.
 */
export function completeInstanceGroups(
  config: ModelConfig,
  options: { readonly gpus?: readonly number[]; readonly defaultInstanceCount?: number },
  warnings: string[],
): InstanceGroup[] {
  const gpus = options.gpus ?? [];
  const groups =
    config.instance_group.length > 0 ? config.instance_group : withDefaults({ instance_group: [{}] }).instance_group;
  return groups.map((group, index) => {
    const name = group.name || `${config.name}_${index}`;
    const kind = settleKind(group, gpus);
    const completed = {
      ...group,
      name,
      kind,
      count: group.count === 0 ? Math.max(1, options.defaultInstanceCount ?? 1) : group.count,
      gpus:
        kind === 'KIND_GPU'
          ? group.gpus.length > 0
            ? [...group.gpus]
            : [...gpus]
          : kind === group.kind
            ? group.gpus
            : [],
    };
    if (kind === 'KIND_GPU') checkGpus(completed, config.name, gpus, warnings);
    return completed;
  });
}

function settleKind(group: InstanceGroup, gpus: readonly number[]): InstanceGroup['kind'] {
  if (group.kind !== 'KIND_AUTO') return group.kind;
  return gpus.length > 0 && group.gpus.every((gpu) => gpus.includes(gpu)) ? 'KIND_GPU' : 'KIND_CPU';
}

function checkGpus(group: InstanceGroup, model: string, gpus: readonly number[], warnings: string[]): void {
  const who = `instance group ${group.name} of model ${model}`;
  if (gpus.length === 0) {
    warnings.push(`${who} has kind KIND_GPU but no GPUs are available: it falls back to what ONNX Runtime offers`);
    return;
  }
  const missing = group.gpus.find((gpu) => !gpus.includes(gpu));
  if (missing !== undefined)
    throw invalid(`${who} specifies invalid or unsupported gpu id ${missing}. Available GPUs are: ${gpus.join(', ')}`);
}
