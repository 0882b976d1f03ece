/*
 * A Buffer is a Uint8Array, but the pinned @types/node describes it by an older TypeScript library, in which slices
 * might be shared memory and iterators had less to offer; so the compiler takes the two for incompatible. This brings
 * Buffer's members up to date.
 */
declare global {
  interface Buffer {
    slice(start?: number, end?: number): Buffer & Uint8Array<ArrayBuffer>;
    entries(): ReturnType<Uint8Array['entries']>;
    keys(): ReturnType<Uint8Array['keys']>;
    values(): ReturnType<Uint8Array['values']>;
  }
}

export {};
