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
export { type BatchBuffer, type ByteSource, allocateBatch, putBytes, scatterBytes, scatterStrings } from './gather';
export { fromNumbers, toNumbers } from './numbers';
export { byteSize, elementCount } from './shape';
export { type TensorArray, arrayOver, bytesOf, tensorArray } from './view';
