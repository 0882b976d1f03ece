export { type BatchingDeps, type BatchingService, startBatching } from './batching';
export { type BatchingConfig, batchingFlags } from './flags';
