import { isUtf8 } from 'node:buffer';
import { type ByteSource, elementCount, elementSize, forEachByteElement, walkByteElements } from '@shoal/tensor';
import { type InputSource, anyBytes, rawBytes } from './check-data';
import {
  byteSizeMismatch,
  stringCut,
  stringLengthCut,
  stringUnfit,
  stringsTooFew,
  stringsTooMany,
} from './error-texts';
import type { TensorHeader } from './scan-tensor';
import type { TensorSpec } from './signature';

/** The input's raw bytes, or where they lie in shared memory, made sure to be as many as its type and shape need. */
export function checkSize(
  id: string,
  input: TensorHeader,
  spec: TensorSpec,
  model: string,
  source: InputSource,
): Uint8Array | ByteSource {
  const count = elementCount(input.shape);
  const width = elementSize(spec.datatype);
  if (width === 0) return checkStrings(id, input, model, rawBytes(source), count);
  // Beyond 2^53 the product is exact in big integers; no message is that long, so this is a refusal.
  const expected = count === undefined ? exactCount(input.shape) * BigInt(width) : count * width;
  if (expected !== source.byteLength) {
    throw byteSizeMismatch(id, input.name, model, expected, source.byteLength);
  }
  return anyBytes(source);
}

function exactCount(shape: readonly number[]): bigint {
  return shape.reduce((product, dim) => product * BigInt(dim), 1n);
}

function checkStrings(
  id: string,
  input: TensorHeader,
  model: string,
  bytes: Uint8Array,
  count: number | undefined,
): Uint8Array {
  const expected = count ?? exactCount(input.shape);
  const walked = walkByteElements(bytes, count);
  if (!walked.ok) {
    if (walked.fault === 'limit') throw stringsTooMany(id, input.name, model, walked.count);
    if (walked.fault === 'length') throw stringLengthCut(id, input.name, model, walked.available);
    throw stringCut(input.name, walked.expected, walked.available);
  }
  if (walked.count !== expected) throw stringsTooFew(id, input.name, model, expected, walked.count);
  forEachByteElement(bytes, (start, end, element) => {
    let ascii = true;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte === 0) throw stringUnfit(id, input.name, model, element, 'NUL');
      if (byte >= 0x80) ascii = false;
    }
    if (!ascii && !isUtf8(bytes.subarray(start, end))) throw stringUnfit(id, input.name, model, element, 'UTF-8');
  });
  return bytes;
}
