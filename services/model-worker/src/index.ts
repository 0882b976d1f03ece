export { type ModelWorkerConfig, modelWorkerFlags } from './flags';
export { type ModelWorkerDeps, type ModelWorkerService, startModelWorker } from './model-worker';
