/** What goes in front of each message (gRPC over HTTP/2, "Length-Prefixed-Message"): a flag and the length. */
export const prefixBytes = 5;

const scratch = new Uint8Array(prefixBytes);

/** The prefix of a message of `length` bytes: good until the next call, so to be copied at once, as `Stream.write` does. */
export function messagePrefix(length: number, compressed: boolean): Uint8Array {
  scratch[0] = compressed ? 1 : 0;
  scratch[1] = length >>> 24;
  scratch[2] = length >>> 16;
  scratch[3] = length >>> 8;
  scratch[4] = length;
  return scratch;
}
