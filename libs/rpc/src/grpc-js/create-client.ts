import type { Call, CallOptions as GrpcCallOptions, ServiceError } from '@grpc/grpc-js';
import { ShoalError, systemClock } from '@shoal/core';
import type {
  CallOptions,
  RpcClient,
  RpcClientOptions,
  UnaryCaller,
  UnaryCallerOptions,
  UnaryListener,
} from '../client';
import { clientCodec } from '../method';
import { errorFromStatus } from '../status';
import { checkUnixPath, unixPath } from '../unix-socket';
import { Channels } from './channels';
import { openStream } from './client-stream';
import { fromGrpcJs, toGrpcJs } from './metadata';

/**
 * A gRPC client of one target (`HOST:PORT` or `unix:PATH`) on grpc-js: connections of its own, nothing retried, no
 * proxy. It connects with the first call.
 */
export function createGrpcJsClient(target: string, options: RpcClientOptions = {}): RpcClient {
  const socketPath = unixPath(target);
  if (socketPath !== undefined) checkUnixPath(socketPath);
  const channels = new Channels(target, options);
  const passthrough = options.passthrough ?? false;
  return {
    unary: (method, request, callOptions = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = callOptions;
        if (signal?.aborted) return reject(new ShoalError('CANCELLED', 'the call was cancelled'));
        const { encode, decode } = clientCodec(method, passthrough);
        const call = channels
          .next(callOptions.compression)
          .makeUnaryRequest(
            method.path,
            encode,
            decode,
            request,
            toGrpcJs(callOptions.headers ?? {}),
            limits(callOptions),
            (error, response) => {
              signal?.removeEventListener('abort', cancel);
              if (error) reject(errorFromStatus(error.code, error.details));
              else resolve(response as NonNullable<typeof response>);
            },
          );
        tellMetadata(call, callOptions);
        const cancel = () => call.cancel();
        signal?.addEventListener('abort', cancel, { once: true });
      }),
    stream: (method, callOptions = {}) => {
      const { encode, decode } = clientCodec(method, passthrough);
      const call = channels.next(callOptions.compression).makeBidiStreamRequest(
        method.path,
        // The stream counts the bytes that it has buffered, so it serialises itself.
        asIs,
        decode,
        toGrpcJs(callOptions.headers ?? {}),
        limits(callOptions),
      );
      tellMetadata(call, callOptions);
      return openStream(call, encode, callOptions.signal);
    },
    unaryCaller: (path, listener, callOptions = {}) => unaryCaller(channels, path, listener, callOptions),
    close: () => channels.close(),
  };
}

function unaryCaller(
  channels: Channels,
  path: string,
  listener: UnaryListener,
  options: UnaryCallerOptions,
): UnaryCaller {
  const metadata = toGrpcJs(options.headers ?? {});
  return {
    call(request, tag) {
      const ended = (error: ServiceError | null, message?: Buffer) => {
        if (error) listener.failed(tag, errorFromStatus(error.code, error.details));
        else listener.answered(tag, message as Buffer);
      };
      const client = channels.next(options.compression);
      client.makeUnaryRequest(path, asIs, asIs, request, metadata, limits(options), ended);
    },
  };
}

/** The status event comes before a stream's end is told, and before those who wait for a unary call's promise run. */
function tellMetadata(call: Call, { onHeaders, onTrailers }: CallOptions): void {
  if (onHeaders) call.on('metadata', (metadata) => onHeaders(fromGrpcJs(metadata)));
  if (onTrailers) call.on('status', ({ metadata }) => onTrailers(fromGrpcJs(metadata)));
}

function limits({ timeoutMs }: CallOptions): GrpcCallOptions {
  // grpc-js times calls itself, on the real clock.
  return timeoutMs === undefined ? {} : { deadline: systemClock.epochMs() + timeoutMs };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
