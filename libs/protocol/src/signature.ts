import type { DataType } from '@shoal/tensor';
import type { RaggedPlan } from './ragged-plan';

/** An input or output as a client sees it and as the model sees it. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: DataType;
  /** Configured dims without the batch dimension, -1 = any: the wire shape. */
  readonly dims: readonly number[];
  /** Config's `reshape`: what the model itself is given instead of `dims`, without the batch dimension. */
  readonly modelDims: readonly number[];
  /** Inputs only. */
  readonly optional: boolean;
  /** Inputs only: shapes may differ within a batch. */
  readonly ragged: boolean;
}

/** A model version's config, compiled once for checking requests and building responses. */
export interface ModelSignature {
  readonly model: string;
  /** As text, as it appears on the wire. */
  readonly version: string;
  /** 0 = the model has no batch dimension. */
  readonly maxBatchSize: number;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** No input has a dim of -1: every request has the same shapes but for its rows. */
  readonly fixedShapes: boolean;
  /** Where requests of different shapes share batches; undefined where none do. */
  readonly ragged?: RaggedPlan;
  /** decoupled transaction policy. */
  readonly decoupled: boolean;
}
