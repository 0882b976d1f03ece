import type { DataType } from '@shoal/tensor';

/** One input or output of an ONNX model, as its session reports it. */
export interface OnnxTensorInfo {
  readonly name: string;
  /** `unsupported:<what>` for what cannot be served: other element types, sequences, maps. */
  readonly datatype: DataType | `unsupported:${string}`;
  /** With the batch dimension if the model has one; a symbolic dimension is its name or -1. [] is a scalar. */
  readonly shape: readonly (number | string)[];
}

/** What ONNX Runtime reports of a loaded model; initializers that may be overridden are not among the inputs. */
export interface OnnxModelInfo {
  readonly inputs: readonly OnnxTensorInfo[];
  readonly outputs: readonly OnnxTensorInfo[];
}

/** The part of onnxruntime-node's `inputMetadata` and `outputMetadata` that is read here. */
export interface OnnxValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

const datatypes: Readonly<Record<string, DataType>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};

/** Turns a session's metadata into model info. */
export function describeSession(session: {
  readonly inputMetadata: readonly OnnxValueMetadata[];
  readonly outputMetadata: readonly OnnxValueMetadata[];
}): OnnxModelInfo {
  return { inputs: session.inputMetadata.map(describe), outputs: session.outputMetadata.map(describe) };
}

function describe(value: OnnxValueMetadata): OnnxTensorInfo {
  const type = value.isTensor ? (value.type ?? 'undefined') : 'sequence or map';
  const datatype = Object.hasOwn(datatypes, type) ? datatypes[type] : undefined;
  return { name: value.name, datatype: datatype ?? `unsupported:${type}`, shape: value.shape ?? [] };
}

/** A tensor's shape with -1 for every dimension that is not fixed. */
export function numericShape(tensor: OnnxTensorInfo): number[] {
  return tensor.shape.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : -1));
}
