import { type Value, bytes, message, writeValue } from './onnx';

/** ModelProto's field with the graph, and GraphProto's with an output. */
const graphField = 7;
const outputField = 12;

/** A model file with one more of its tensors as an output. @throws Error when it is no ModelProto of one graph */
export function withOutput(file: Buffer, output: Value): Buffer {
  const parts: Buffer[] = [];
  let graphs = 0;
  for (let at = 0; at < file.length;) {
    const key = readVarint(file, at);
    const value = readVarint(file, key.end);
    const wire = key.value % 8;
    if (wire !== 0 && wire !== 2) throw new Error('not a ModelProto');
    const end = wire === 0 ? value.end : value.end + value.value;
    if (Math.floor(key.value / 8) === graphField) {
      graphs++;
      parts.push(bytes(graphField, message([file.subarray(value.end, end), bytes(outputField, writeValue(output))])));
    } else parts.push(file.subarray(at, end));
    at = end;
  }
  if (graphs !== 1) throw new Error(`a ModelProto of ${graphs} graphs`);
  return message(parts);
}

function readVarint(file: Buffer, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = from, scale = 1; at < file.length; at++, scale *= 128) {
    const byte = file[at] as number;
    value += (byte % 128) * scale;
    if (byte < 128) return { value, end: at + 1 };
  }
  throw new Error('a ModelProto that is cut off');
}
