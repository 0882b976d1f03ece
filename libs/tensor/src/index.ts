export {
  type ByteElements,
  decodeByteElements,
  decodeStrings,
  encodeByteElements,
  encodeStrings,
  forEachByteElement,
  stringFault,
  stringsByteSize,
  walkByteElements,
} from './byte-elements';
export { type DataType, configNameOf, dataTypeOfConfig, dataTypes, elementSize, isDataType } from './data-type';
export { bf16ToFp32, fp16ToFp32, fp32ToBf16, fp32ToFp16, narrow, widen } from './float16';
export { type BatchBuffer, allocateBatch, gatherBytes, gatherStrings, scatterBytes, scatterStrings } from './gather';
export { byteSize, elementCount } from './shape';
export { type TensorArray, arrayOver, bytesOf, tensorArray } from './view';
