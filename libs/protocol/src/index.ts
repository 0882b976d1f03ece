export type { ModelConfig__Output as ModelConfig } from './generated/inference/ModelConfig';
export type * from './signature';
