import type { ModelConfig } from '@shoal/protocol';

/** The platform and the backend that can be served. */
export const onnxPlatform = 'onnxruntime_onnx';
export const onnxBackend = 'onnxruntime';

/** The model file's name where the config gives none. */
export const defaultModelFilename = 'model.onnx';

/** Backends that Triton derives from a platform. */
const backendOfPlatform: Readonly<Record<string, string>> = {
  [onnxPlatform]: onnxBackend,
  tensorrt_plan: 'tensorrt',
  tensorflow_graphdef: 'tensorflow',
  tensorflow_savedmodel: 'tensorflow',
  pytorch_libtorch: 'pytorch',
  pytorch_aoti: 'pytorch',
};

/** How a config's platform and backend came out. */
export type PlatformVerdict =
  | { readonly kind: 'onnx' }
  /** A well-formed config for something else: each version is UNAVAILABLE with `reason`. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** The config contradicts itself or says nothing: the model is refused with `reason`. */
  | { readonly kind: 'invalid'; readonly reason: string };

/**
 * Decides by Triton's rules who is to run a model. `hasModelFile` tells whether a version folder holds `model.onnx`, which
 * settles a config that names neither platform nor backend.
 */
export function judgePlatform(config: ModelConfig, model: string, hasModelFile: boolean): PlatformVerdict {
  const { platform, backend, default_model_filename: file } = config;
  if (backend === onnxBackend) {
    if (platform === '' || platform === onnxPlatform) return { kind: 'onnx' };
    return { kind: 'invalid', reason: `unexpected 'platform' and 'backend' pair, got:${platform}, ${backend}` };
  }
  if (backend !== '') return { kind: 'unavailable', reason: noBackend(backend) };
  if (platform === onnxPlatform) return { kind: 'onnx' };
  if (platform === 'ensemble') return { kind: 'unavailable', reason: 'ensembles are not supported yet' };
  const other = Object.hasOwn(backendOfPlatform, platform) ? backendOfPlatform[platform] : undefined;
  if (other !== undefined) return { kind: 'unavailable', reason: `${noBackend(other)} ${servedPlatforms}` };
  if (platform !== '')
    return { kind: 'invalid', reason: `unexpected platform type '${platform}' for ${model}. ${servedPlatforms}` };
  if (file.endsWith('.onnx') || (file === '' && hasModelFile)) return { kind: 'onnx' };
  return {
    kind: 'invalid',
    reason:
      `could not determine the backend for model '${model}': its configuration names none and no version folder ` +
      `holds '${defaultModelFilename}'. ${servedPlatforms}`,
  };
}

const servedPlatforms = `The platforms that can be served are: ${onnxPlatform} (backend ${onnxBackend}).`;

function noBackend(backend: string): string {
  return `unable to find backend library for backend '${backend}', try specifying runtime on the model configuration.`;
}

/** The config with platform, backend and model file named, as Triton shows them. */
export function withPlatform(config: ModelConfig): ModelConfig {
  return {
    ...config,
    platform: onnxPlatform,
    backend: onnxBackend,
    default_model_filename: config.default_model_filename || defaultModelFilename,
  };
}
