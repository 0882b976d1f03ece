import { availableParallelism } from 'node:os';
import type { ModelConfig } from '@shoal/protocol';
import { type ModelInstance, type SessionOptions, sessionOptionsFrom } from '@shoal/repository';
import type { LoadSpec } from '../control-messages';
import { executionOf } from './execution';
import { simulatedDeviceMs } from './simulated-device';

/**
 * The runner processes that a config's instance groups ask for, before the config is completed from the model: `count`
 * of each group, that many on each of its GPUs. A GPU group that names none takes all of `gpus`, an AUTO group too,
 * or the CPU where there is none. No group at all is one instance of AUTO.
 */
export function planInstances(config: ModelConfig, gpus: readonly number[]): ModelInstance[] {
  const automatic = { name: '', count: 1, kind: 'KIND_AUTO', gpus: [] } as const;
  const groups = config.instance_group.length > 0 ? config.instance_group : [automatic];
  return groups.flatMap((group, index) => {
    const kind = group.kind === 'KIND_AUTO' ? (gpus.length > 0 ? 'KIND_GPU' : 'KIND_CPU') : group.kind;
    const named = group.gpus.length > 0 ? group.gpus : gpus;
    const devices = kind === 'KIND_GPU' && named.length > 0 ? named : [0];
    const name = group.name || `${config.name}_${index}`;
    return Array.from({ length: Math.max(1, group.count) }, (_, i) =>
      devices.map((device) => ({ name: `${name}_${i}${kind === 'KIND_GPU' ? `_gpu${device}` : ''}`, kind, device })),
    ).flat();
  });
}

/** How the session of one instance is made, with what the config asks for and will not get. */
export function planSession(
  config: ModelConfig,
  instance: ModelInstance,
  instances: number,
  modelPath: string,
): { readonly load: LoadSpec; readonly warnings: readonly string[] } {
  const { options, providers, warnings } = sessionOptionsFrom(config, instance);
  const sessionOptions = withSharedCores(withoutSpinning(options), instances, availableParallelism());
  const deviceMs = simulatedDeviceMs(config);
  // A device does not hold the main thread.
  const execution = deviceMs > 0 ? 'thread' : executionOf(config);
  return {
    load: {
      kind: 'load',
      modelPath,
      sessionOptions,
      candidates: providers,
      execution,
      simulatedDeviceMs: deviceMs,
    },
    warnings:
      deviceMs > 0 ? [...warnings, `${config.name}: each run waits ${deviceMs} ms for a simulated device`] : warnings,
  };
}

/**
 * ONNX Runtime's threads burn their cores for milliseconds after each run, waiting for the next. In a server of many
 * models that takes the cores from those that have work; it is off unless the config says otherwise.
 */
function withoutSpinning(options: SessionOptions): SessionOptions {
  const off = { 'intra_op.allow_spinning': '0', 'inter_op.allow_spinning': '0' };
  return { ...options, extra: { session: { ...off, ...options.extra?.session } } };
}

/** Instances of one model share the cores instead of each taking all of them. */
function withSharedCores(options: SessionOptions, instances: number, cores: number): SessionOptions {
  if (instances <= 1 || options.intraOpNumThreads !== undefined) return options;
  return { ...options, intraOpNumThreads: Math.max(1, Math.floor(cores / instances)) };
}
