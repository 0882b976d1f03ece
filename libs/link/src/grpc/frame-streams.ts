import { ShoalError } from '@shoal/core';
import type { ClientStream, MethodDefinition, ServiceDefinition, StreamCall } from '@shoal/rpc';
import type { FrameStream } from './stream-link';

const asBytes = (bytes: Buffer): Buffer => bytes;

/**
 * The service that carries links; its frames pass as bytes. Written out, though link.proto defines it, so that a runner
 * need not load a parser of proto files for it.
 */
export const linkService = {
  Connect: {
    path: '/shoal.link.v1.Link/Connect',
    originalName: 'connect',
    requestStream: true,
    responseStream: true,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  },
} satisfies ServiceDefinition & { readonly Connect: MethodDefinition<Buffer, Buffer> };

/** The server's side of a link's call. */
export function acceptedStream(call: StreamCall<Buffer, Buffer>): FrameStream {
  return {
    onMessage: (receive) => call.onMessage(receive),
    onEnd(ended) {
      call.onEnd(() => ended());
      call.onCancel(() => ended(new ShoalError('UNAVAILABLE', 'the connection broke')));
    },
    pause: () => call.pause(),
    resume: () => call.resume(),
    write: (frame) => void call.write(frame),
    bufferedBytes: () => call.bufferedBytes,
    finish: () => call.end(),
    abort: (error) => call.end(error),
  };
}

/** The client's side. */
export function openedStream(call: ClientStream<Buffer, Buffer>): FrameStream {
  return {
    onMessage: (receive) => call.onMessage(receive),
    onEnd: (ended) => call.onEnd(ended),
    pause: () => call.pause(),
    resume: () => call.resume(),
    write: (frame) => void call.write(frame),
    bufferedBytes: () => call.bufferedBytes,
    finish: () => call.end(),
    abort: () => call.cancel(),
  };
}
