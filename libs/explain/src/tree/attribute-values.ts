import { elementType, type OnnxTensor } from '../onnx/onnx-model';
import { numbers } from '../onnx/proto-fields';
import { malformedTrees, tooLarge, treeLimits } from './limits';

/** All elements of a tensor attribute of float, double or uint8 elements: these may be as many as there are nodes. */
export function tensorValues(tensor: OnnxTensor, name: string): Float64Array {
  let count = 1;
  for (const dim of tensor.dims) count *= dim;
  if (!(count >= 0)) throw malformedTrees(`${name} has a negative dimension`);
  if (count > treeLimits.nodes) throw tooLarge(`${name} has too many elements`, treeLimits.nodes);
  const found: number[] = [];
  for (const { number, wire, bytes } of tensor.fields) {
    if (number === 13 || (number === 14 && (bytes[0] ?? 0) !== 0))
      throw malformedTrees(`${name} is kept in another file`);
    if (number === 9 && wire === 2) raw(bytes, tensor.type, found, name);
    else if (wire !== 0 && number === 4) numbers({ bytes }, 'float', found);
    else if (wire !== 0 && number === 10) numbers({ bytes }, 'double', found);
    else if (number === 5) numbers({ bytes }, 'varint', found);
  }
  if (found.length !== count) throw malformedTrees(`${name} has ${found.length} elements, its shape says ${count}`);
  return Float64Array.from(found);
}

const uint8 = 2;

function raw(bytes: Uint8Array, type: number, into: number[], name: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = { [elementType.float]: 4, [elementType.double]: 8, [uint8]: 1 }[type];
  if (width === undefined || bytes.length % width !== 0)
    throw malformedTrees(`${name} is not a tensor of float, double or uint8 elements`);
  for (let at = 0; at < bytes.length; at += width)
    into.push(
      width === 4 ? view.getFloat32(at, true) : width === 8 ? view.getFloat64(at, true) : (bytes[at] as number),
    );
}
