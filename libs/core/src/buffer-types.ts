/*
 * A Buffer is a Uint8Array, but TypeScript's library now says that Uint8Array.slice gives memory that is not shared,
 * and the pinned @types/node does not say so of Buffer, which makes the two incompatible. This says it for Buffer.
 */
declare global {
  interface Buffer {
    slice(start?: number, end?: number): Buffer & Uint8Array<ArrayBuffer>;
  }
}

export {};
