export { readBounded } from './bounded-read';
export { checkInstanceGroups } from './check-instances';
export { type CompletedConfig, completeConfig, type CompleteOptions } from './complete';
export {
  diffRepositories,
  type ModelChange,
  type ModelSnapshot,
  type RepositoryDiff,
  type RepositorySnapshot,
  settleSnapshot,
} from './diff';
export type { ModelInstance } from './instances';
export type { Labels } from './labels';
export { maxConfigBytes, maxInstances, maxLabelsBytes, maxNameBytes, maxThreads } from './limits';
export { sanitiseLoadError } from './load-error';
export { emptyModelConfig } from './model-config-type';
export { describeSession, type OnnxModelInfo, type OnnxTensorInfo, type OnnxValueMetadata } from './onnx-model-info';
export { applyOverride, materialiseFiles, type ModelOverride, pollFailure } from './override';
export { parseModelConfig } from './parse-config';
export { parseModelConfigJson } from './parse-config-json';
export type { ProviderCandidate } from './providers';
export { loadReason } from './reason';
export { scanModel, scanRepository } from './scan';
export type { RefusedModel, ScannedModel, ScannedVersion, ScanResult } from './scan-model';
export { type SessionOptions, sessionOptionsFrom, type SessionPlan } from './session-options';
