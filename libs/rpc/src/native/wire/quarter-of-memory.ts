import { totalmem } from 'node:os';

/** A quarter of the memory that the process may use, in bytes: what is kept for peers by default. */
export function quarterOfMemory(): number {
  // 0 or more than there is: no limit but the machine's.
  const allowed = process.constrainedMemory() ?? 0;
  return Math.floor((allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()) / 4);
}
