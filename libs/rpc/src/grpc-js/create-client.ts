import { Client, type CallOptions as GrpcCallOptions, Metadata, credentials } from '@grpc/grpc-js';
import { ShoalError, systemClock } from '@shoal/core';
import type { CallOptions, RpcClient, RpcClientOptions } from '../client';
import { errorFromStatus } from '../status';
import { checkUnixPath, unixPath } from '../unix-socket';
import { openStream } from './client-stream';

/**
 * A client's receive window. Small on purpose: Node stops reading an HTTP/2 connection while a write of its own waits
 * for the socket. When both ends are Node, both windows are larger than the socket's buffers, and tensors flow both
 * ways, both writes wait for ever (seen on unix sockets, whose buffers hold 208 KiB, with the second message). With one
 * direction always fitting the buffers the other one always moves. The server's window is the large one.
 */
const clientWindowBytes = 128 * 1024;

/**
 * A gRPC client of one target (`HOST:PORT` or `unix:PATH`) on grpc-js: one connection of its own, nothing retried, no
 * proxy. It connects with the first call.
 */
export function createGrpcJsClient(target: string, options: RpcClientOptions = {}): RpcClient {
  const path = unixPath(target);
  if (path !== undefined) checkUnixPath(path);
  const client = new Client(target, credentials.createInsecure(), {
    'grpc.max_receive_message_length': options.maxMessageBytes ?? -1,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': clientWindowBytes,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    ...(options.keepaliveMs !== undefined && {
      'grpc.keepalive_time_ms': options.keepaliveMs,
      'grpc.keepalive_timeout_ms': options.keepaliveMs,
    }),
  });
  const passthrough = options.passthrough ?? false;
  return {
    unary: (method, request, callOptions = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = callOptions;
        if (signal?.aborted) return reject(new ShoalError('CANCELLED', 'the call was cancelled'));
        const call = client.makeUnaryRequest(
          method.path,
          passthrough ? (asBuffer as typeof method.requestSerialize) : method.requestSerialize,
          passthrough ? (asIs as typeof method.responseDeserialize) : method.responseDeserialize,
          request,
          headers(callOptions),
          limits(callOptions),
          (error, response) => {
            signal?.removeEventListener('abort', cancel);
            if (error) reject(errorFromStatus(error.code, error.details));
            else resolve(response as NonNullable<typeof response>);
          },
        );
        const cancel = () => call.cancel();
        signal?.addEventListener('abort', cancel, { once: true });
      }),
    stream: (method, callOptions = {}) => {
      const serialize = passthrough ? (asBuffer as typeof method.requestSerialize) : method.requestSerialize;
      const call = client.makeBidiStreamRequest(
        method.path,
        // The stream counts the bytes that it has buffered, so it serialises itself.
        asBuffer,
        passthrough ? (asIs as typeof method.responseDeserialize) : method.responseDeserialize,
        headers(callOptions),
        limits(callOptions),
      );
      return openStream(call, serialize, callOptions.signal);
    },
    close: () => client.close(),
  };
}

function headers(options: CallOptions): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(options.headers ?? {})) metadata.set(name, value);
  return metadata;
}

function limits({ timeoutMs }: CallOptions): GrpcCallOptions {
  // grpc-js times calls itself, on the real clock.
  return timeoutMs === undefined ? {} : { deadline: systemClock.epochMs() + timeoutMs };
}

/** grpc-js copies with Buffer's own methods, so a plain Uint8Array gets Buffer's clothes (same memory). */
function asBuffer(message: unknown): Buffer {
  if (Buffer.isBuffer(message)) return message;
  if (message instanceof Uint8Array) return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  throw new TypeError('a passthrough client sends Buffers');
}

function asIs(bytes: Buffer): unknown {
  return bytes;
}
