import type { MethodDefinition } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/core';

/** How a method's messages become bytes and back, on the side that answers. */
export interface MethodCodec {
  /** @throws ShoalError INVALID_ARGUMENT when the bytes are no such message. */
  decode(bytes: Buffer): unknown;
  encode(message: unknown): Buffer;
}

/** The bytes themselves. */
const identity: MethodCodec = {
  decode: (bytes) => bytes,
  encode(message) {
    if (Buffer.isBuffer(message)) return message;
    throw new TypeError('a passthrough method answers with a Buffer');
  },
};

/** The codec of a method that a server answers. */
export function serverCodec(method: MethodDefinition<unknown, unknown>, passthrough: boolean): MethodCodec {
  if (passthrough) return identity;
  return {
    decode(bytes) {
      try {
        return method.requestDeserialize(bytes);
      } catch (thrown) {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        throw new ShoalError('INVALID_ARGUMENT', `the request message of ${method.path} cannot be decoded: ${reason}`, {
          cause: thrown,
        });
      }
    },
    encode: (message) => method.responseSerialize(message),
  };
}
