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

/**
 * Largest message that is decoded into objects, as gRPC's own default: decoded, it takes a multiple of its bytes, and a
 * message of two gigabytes would end the process.
 */
export const maxDecodedBytes = 4 * 1024 * 1024;

/** The codec of a method that a server answers. */
export function serverCodec(
  method: MethodDefinition<unknown, unknown>,
  { passthrough, large }: { readonly passthrough: boolean; readonly large: boolean },
): MethodCodec {
  if (passthrough) return identity;
  return {
    decode(bytes) {
      if (!large && bytes.length > maxDecodedBytes) {
        const sizes = `${bytes.length} vs ${maxDecodedBytes}`;
        throw new ShoalError('RESOURCE_EXHAUSTED', `Received message larger than max (${sizes})`);
      }
      try {
        return method.requestDeserialize(bytes);
      } catch (thrown) {
        // protobufjs stumbles over entries of maps that have no value.
        const stumbled = !(thrown instanceof Error) || thrown instanceof TypeError;
        const reason = stumbled ? 'it is malformed' : thrown.message;
        throw new ShoalError('INVALID_ARGUMENT', `the request message of ${method.path} cannot be decoded: ${reason}`, {
          cause: thrown,
        });
      }
    },
    encode: (message) => method.responseSerialize(message),
  };
}

/** How a method's messages become bytes and back, on the side that asks. */
export interface ClientCodec<Req, Res> {
  readonly encode: (message: Req) => Buffer;
  readonly decode: (bytes: Buffer) => Res;
}

const clientIdentity: ClientCodec<unknown, unknown> = {
  encode(message) {
    if (Buffer.isBuffer(message)) return message;
    // Carriers copy with Buffer's own methods, so a plain Uint8Array gets Buffer's clothes (same memory).
    if (message instanceof Uint8Array) return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    throw new TypeError('a passthrough client sends Buffers');
  },
  decode: (bytes) => bytes,
};

/** The codec of a method that a client calls. */
export function clientCodec<Req, Res>(
  { requestSerialize, responseDeserialize }: MethodDefinition<Req, Res>,
  passthrough: boolean,
): ClientCodec<Req, Res> {
  if (passthrough) return clientIdentity as ClientCodec<Req, Res>;
  return { encode: requestSerialize, decode: responseDeserialize };
}
