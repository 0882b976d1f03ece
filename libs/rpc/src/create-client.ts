import { defaultCarrier } from './carrier';
import type { RpcClient, RpcClientOptions } from './client';
import { createGrpcJsClient } from './grpc-js/create-client';
import { NativeClient } from './native/client/native-client';

/**
 * A gRPC client of one target (`HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`) on the carrier of choice. It connects with the first call.
 * @throws ShoalError INVALID_ARGUMENT for a target that cannot be
 */
export function createClient(target: string, options: RpcClientOptions = {}): RpcClient {
  const carrier = options.carrier ?? defaultCarrier;
  return carrier === 'native' ? new NativeClient(target, options) : createGrpcJsClient(target, options);
}
