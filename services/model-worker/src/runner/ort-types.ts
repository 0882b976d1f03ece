import type { DataType } from '@shoal/tensor';

/** ONNX Runtime's names of element types. BF16 is missing: its Node binding refuses such tensors. */
const ortNames = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const;

export type OrtType = (typeof ortNames)[keyof typeof ortNames];

const dataTypes = new Map<string, DataType>(
  Object.entries(ortNames).map(([datatype, name]) => [name, datatype as DataType]),
);

/** ONNX Runtime's name for a data type; undefined when its Node binding has none. */
export function ortTypeOf(datatype: DataType): OrtType | undefined {
  return datatype === 'BF16' ? undefined : ortNames[datatype];
}

/** The data type of an ONNX Runtime tensor; undefined for types that Shoal has no word for. */
export function dataTypeOfOrt(name: string): DataType | undefined {
  return dataTypes.get(name);
}
