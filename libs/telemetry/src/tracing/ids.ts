import { randomFillSync } from 'node:crypto';
import { type SpanContext, contextBytes, sampledFlag } from './span-context';

/** Contexts that are cut from one piece of random bytes: asking the generator for each would cost a microsecond. */
const contextsAtOnce = 256;

let pool = Buffer.alloc(0);
let used = 0;

/** The wire form of a new span: of `parent`'s trace, else of a trace of its own. */
export function newWire(parent: SpanContext | undefined): Buffer {
  if (used === pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(contextsAtOnce * contextBytes));
    used = 0;
  }
  const wire = pool.subarray(used, (used += contextBytes));
  if (parent) {
    parent.wire.copy(wire, 0, 0, 16);
    wire[24] = parent.wire[24] ?? sampledFlag;
  } else {
    wire[24] = sampledFlag;
    // An id of zeros would be invalid.
    wire[0]! |= 1;
  }
  wire[16]! |= 1;
  return wire;
}
