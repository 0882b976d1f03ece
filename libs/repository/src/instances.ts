import type { ModelConfig } from '@shoal/protocol';

/** One instance of a model: one session. */
export interface ModelInstance {
  /** `<group>_<index>`, on a GPU `<group>_<index>_gpu<id>`. */
  readonly name: string;
  readonly kind: 'KIND_CPU' | 'KIND_GPU' | 'KIND_MODEL';
  /** The GPU's id; 0 where the kind has none. */
  readonly device: number;
}

/** Spreads the instance groups of a completed config: `count` instances each, on every GPU that the group names. */
export function expandInstances(config: ModelConfig): ModelInstance[] {
  return config.instance_group.flatMap((group) => {
    const kind = group.kind === 'KIND_AUTO' ? 'KIND_CPU' : group.kind;
    const devices = kind === 'KIND_GPU' && group.gpus.length > 0 ? group.gpus : [undefined];
    return Array.from({ length: Math.max(1, group.count) }, (_, index) =>
      devices.map((device) => ({
        name: `${group.name}_${index}${device === undefined ? '' : `_gpu${device}`}`,
        kind,
        device: device ?? 0,
      })),
    ).flat();
  });
}
