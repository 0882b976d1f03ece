import type { InferPlan } from './infer-plan';

/** The message, and the inputs that are not views into it but copies (typed contents), or may become such (shared memory). */
export function heldBytes({ request }: InferPlan, message: Buffer): number {
  let bytes = message.length;
  for (const { bytes: input } of request.inputs) {
    if (!(input instanceof Uint8Array) || input.buffer !== message.buffer) bytes += input.byteLength;
  }
  return bytes;
}
