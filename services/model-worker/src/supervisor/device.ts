import type { ProviderCandidate } from '@shoal/repository';

/** What people call the device that an execution provider uses: "CPU", "CUDA 0". */
export function deviceOf(candidate: ProviderCandidate): string {
  const name = candidate.name === 'tensorrt' ? 'TensorRT' : candidate.name.toUpperCase();
  return candidate.deviceId === undefined ? name : `${name} ${candidate.deviceId}`;
}
