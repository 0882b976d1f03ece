import { ShoalError } from '@shoal/core';
import {
  type ClientStream,
  type MethodDefinition,
  type ServiceDefinition,
  type StreamCall,
  loadService,
} from '@shoal/rpc';
import type { FrameStream } from './stream-link';

/** The service that carries links; its frames pass as bytes. */
export const linkService = loadService('shoal/link/v1/link.proto', 'shoal.link.v1.Link') as ServiceDefinition & {
  readonly Connect: MethodDefinition<Buffer, Buffer>;
};

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
