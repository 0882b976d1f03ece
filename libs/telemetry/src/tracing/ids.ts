import { randomFillSync } from 'node:crypto';
import { contextBytes, sampledFlag } from './span-context';

/** Contexts that are cut from one piece of random bytes: asking the generator for each would cost a microsecond. */
const contextsAtOnce = 256;

let pool = Buffer.alloc(0);
let next = 0;

/** The piece that `takeIds` has last taken from. */
export function idPool(): Buffer {
  return pool;
}

/**
 * Makes the wire form of a new span: of the trace of the context at `parentAt` in `parent`, else of a trace of its own. Gives its place in
 * `idPool()`: a view of it, which most spans never need, would cost more than the rest.
 */
export function takeIds(parent: Buffer | undefined, parentAt: number): number {
  if (next === pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(contextsAtOnce * contextBytes));
    next = 0;
  }
  const at = next;
  next += contextBytes;
  // An id of zeros would be invalid.
  pool[at + 16]! |= 1;
  if (parent) {
    for (let n = 0; n < 16; n++) pool[at + n] = parent[parentAt + n]!;
    pool[at + 24] = parent[parentAt + 24]!;
  } else {
    pool[at]! |= 1;
    pool[at + 24] = sampledFlag;
  }
  return at;
}
