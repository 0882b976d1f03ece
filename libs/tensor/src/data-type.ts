/** Tensor element types in KServe's words. */
export type DataType =
  | 'BOOL'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FP16'
  | 'FP32'
  | 'FP64'
  | 'BYTES'
  | 'BF16';

/** Bytes of one element on the wire; 0 for BYTES, whose elements carry their own length. */
const widths: Readonly<Record<DataType, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
  BF16: 2,
};

/** Every data type, in the order of the enum in model_config.proto, BF16 last. */
export const dataTypes = Object.keys(widths) as readonly DataType[];

/** Is `word` one of KServe's data types? Exact spelling; client input may be anything. */
export function isDataType(word: string): word is DataType {
  return Object.hasOwn(widths, word);
}

/** Bytes of one element in raw contents; 0 for BYTES. */
export function elementSize(datatype: DataType): number {
  return widths[datatype];
}

/** The name of `datatype` in a model's config: TYPE_FP32 for FP32, TYPE_STRING for BYTES. */
export function configNameOf(datatype: DataType): string {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
}

/** The data type that a model's config calls `name`; undefined for TYPE_INVALID and unknown names. */
export function dataTypeOfConfig(name: string): DataType | undefined {
  if (name === 'TYPE_STRING') return 'BYTES';
  if (!name.startsWith('TYPE_')) return undefined;
  const word = name.slice('TYPE_'.length);
  return word !== 'BYTES' && isDataType(word) ? word : undefined;
}
