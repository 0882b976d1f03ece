/**
 * Bytes of a message that lie elsewhere until they are wanted, in memory shared with the other end of the link. Whoever
 * receives them reads them where they are needed, and releases them.
 */
export interface RemoteBytes {
  readonly byteLength: number;
  /**
   * Copies all of them to `target` from `at`. @throws ShoalError when they are not there any more: the other end
   * broke its word (DATA_LOSS, the link ends), or a client made its memory shorter (INVALID_ARGUMENT).
   */
  readInto(target: Uint8Array, at: number): void;
  /** Nobody reads them any more; harmless when said twice. */
  release(): void;
}

/** The large part of a message: in one piece, in several that are sent one after the other, or elsewhere. */
export type MessageBytes = Uint8Array | readonly Uint8Array[] | RemoteBytes;

/** How many they are. */
export function byteLengthOf(bytes: MessageBytes): number {
  if (!isPieces(bytes)) return bytes.byteLength;
  let length = 0;
  for (const piece of bytes) length += piece.byteLength;
  return length;
}

/**
 * All of them in one piece: as they are, or copied, which releases them. Throws as `RemoteBytes.readInto`.
 * @param allocate makes room for those that lie elsewhere.
 */
export function wholeBytes(bytes: MessageBytes, allocate: (length: number) => Uint8Array = fresh): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  if (isPieces(bytes)) return bytes.length === 1 ? (bytes[0] as Uint8Array) : Buffer.concat(bytes);
  try {
    const whole = allocate(bytes.byteLength);
    bytes.readInto(whole, 0);
    return whole;
  } finally {
    bytes.release();
  }
}

/** Not from the pool of small buffers, which a large one would not fit anyway. */
function fresh(length: number): Uint8Array {
  return Buffer.allocUnsafeSlow(length);
}

/** Says that nobody reads them any more. */
export function releaseBytes(bytes: MessageBytes): void {
  if (!(bytes instanceof Uint8Array) && !isPieces(bytes)) bytes.release();
}

export function isPieces(bytes: MessageBytes): bytes is readonly Uint8Array[] {
  return Array.isArray(bytes);
}
