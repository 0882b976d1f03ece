import type { ModelConfig } from '@shoal/protocol';
import type { DataType } from '@shoal/tensor';

/** A data type's name in a model config. */
export type ConfigDataType = ModelConfig['input'][number]['data_type'];

/** The name in a model config of a data type in KServe's words: they differ for BYTES alone. */
export function configDataType(datatype: DataType): ConfigDataType {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
}
