import type { ModelConfig } from '@shoal/protocol';
import type { ModelInstance } from './instances';

/** An execution provider as onnxruntime-node takes it. */
export interface ProviderCandidate {
  readonly name: 'tensorrt' | 'cuda' | 'webgpu' | 'cpu';
  /** GPU providers only: the GPU's id. */
  readonly deviceId?: number;
}

/**
 * The execution providers to try for an instance, best first. A GPU instance tries TensorRT only if its config asks for
 * it, then CUDA, WebGPU and last the CPU; every other kind runs on the CPU.
 */
export function providerCandidates(
  config: ModelConfig,
  instance: Pick<ModelInstance, 'kind' | 'device'>,
  warnings: string[],
): ProviderCandidate[] {
  const accelerators = config.optimization?.execution_accelerators;
  for (const { name } of accelerators?.cpu_execution_accelerator ?? [])
    warnings.push(
      `execution accelerator '${name}' of model '${config.name}' is not supported on the CPU and is ignored`,
    );
  if (instance.kind !== 'KIND_GPU') return [{ name: 'cpu' }];
  const asked: ProviderCandidate['name'][] = [];
  for (const { name, parameters } of accelerators?.gpu_execution_accelerator ?? []) {
    if (name !== 'tensorrt' && name !== 'cuda') {
      warnings.push(`execution accelerator '${name}' of model '${config.name}' is unknown and is ignored`);
      continue;
    }
    asked.push(name);
    if (Object.keys(parameters).length > 0)
      warnings.push(
        `parameters of execution accelerator '${name}' of model '${config.name}' are ignored: ONNX Runtime for Node.js ` +
          'does not take them',
      );
  }
  const order = new Set<ProviderCandidate['name']>([...asked, 'cuda', 'webgpu', 'cpu']);
  return [...order].map((name) =>
    name === 'tensorrt' || name === 'cuda' ? { name, deviceId: instance.device } : { name },
  );
}
