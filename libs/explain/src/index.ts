export type { Attribution, ShapleyResult, StopReason } from './attribution';
export type { Estimator, MaskBatch, RowBatch, RowEstimator } from './estimator';
