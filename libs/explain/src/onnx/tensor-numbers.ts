import { elementType, type OnnxTensor } from './onnx-model';
import { numbers } from './proto-fields';

/** Larger tensors are weights, not parameters of operators; nobody needs their elements here. */
const most = 65536;

/**
 * The elements of a small tensor as numbers; undefined when they cannot be known: outside the file, of a type that is
 * not int32, int64, bool, float or double, more than 65536, or not as many as the shape says.
 */
export function tensorNumbers(tensor: OnnxTensor): number[] | undefined {
  let count = 1;
  for (const dim of tensor.dims) count *= dim;
  if (!(count >= 0 && count <= most)) return undefined;
  const found: number[] = [];
  for (const field of tensor.fields) {
    if (field.number === 13 || (field.number === 14 && (field.bytes[0] ?? 0) !== 0)) return undefined;
    if (field.number === 9 && field.wire === 2) {
      if (!rawNumbers(field.bytes, tensor.type, found)) return undefined;
    } else if (field.number === 4 && field.wire !== 0) numbers(field, 'float', found);
    else if (field.number === 10 && field.wire !== 0) numbers(field, 'double', found);
    else if ((field.number === 5 || field.number === 7) && tensor.type !== elementType.float16)
      numbers(field, 'varint', found);
  }
  return found.length === count ? found : undefined;
}

function rawNumbers(bytes: Uint8Array, type: number, into: number[]): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: Record<number, [number, (at: number) => number]> = {
    [elementType.float]: [4, (at) => view.getFloat32(at, true)],
    [elementType.int32]: [4, (at) => view.getInt32(at, true)],
    [elementType.int64]: [8, (at) => Number(view.getBigInt64(at, true))],
    [elementType.bool]: [1, (at) => view.getUint8(at)],
    [elementType.double]: [8, (at) => view.getFloat64(at, true)],
  };
  const reader = read[type];
  if (reader === undefined) return false;
  const [width, at] = reader;
  for (let offset = 0; offset + width <= bytes.length; offset += width) into.push(at(offset));
  return true;
}
