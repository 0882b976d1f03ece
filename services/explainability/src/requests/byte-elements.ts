import { forEachByteElement } from '@shoal/tensor';

/** The raw form of BYTES elements [from, end) of a tensor. */
export function byteElements(bytes: Uint8Array, from: number, end: number): Uint8Array {
  let [first, last] = [0, 0];
  forEachByteElement(bytes, (_, elementEnd, element) => {
    if (element < from) first = elementEnd;
    if (element < end) last = elementEnd;
  });
  return bytes.subarray(Math.min(first, last), last);
}
