export { type ExplainabilityDeps, type ExplainabilityService, startExplainability } from './explainability';
export { type ExplainConfig, explainFlags } from './flags';
export type { RouterOptions } from './models/routers';
