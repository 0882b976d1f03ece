import type { InferParameters } from './parameters';
import { WireWriter, parametersSize } from './wire-writer';

/**
 * A serialised inference.ModelInferResponse with further parameters: a message's bytes may be followed by more of its fields, and
 * entries of a map add up.
 */
export function appendParameters(response: Uint8Array, parameters: InferParameters): Buffer {
  const writer = new WireWriter(Buffer.allocUnsafe(parametersSize(parameters)));
  writer.parameters(4, parameters);
  return Buffer.concat([response, writer.buffer]);
}
