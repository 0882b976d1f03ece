import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProviderCandidate } from '@shoal/repository';

/** Files beside libonnxruntime that a provider needs. ONNX Runtime lists it as supported even when they are missing. */
const libraries: Readonly<Record<string, readonly string[]>> = {
  cuda: ['onnxruntime_providers_shared', 'onnxruntime_providers_cuda'],
  tensorrt: ['onnxruntime_providers_shared', 'onnxruntime_providers_tensorrt'],
};

/** Where onnxruntime-node keeps the native libraries of this platform. */
export function nativeFolder(): string {
  return join(dirname(require.resolve('onnxruntime-node/package.json')), 'bin/napi-v6', process.platform, process.arch);
}

/** Why a provider cannot work in this installation; undefined when it may be tried. */
export function missingLibrary(candidate: ProviderCandidate, folder = nativeFolder()): string | undefined {
  const [prefix, suffix] = process.platform === 'win32' ? ['', '.dll'] : ['lib', '.so'];
  for (const name of libraries[candidate.name] ?? []) {
    const file = `${prefix}${name}${suffix}`;
    if (!existsSync(join(folder, file))) return `${file} is not installed`;
  }
  return undefined;
}
