import { defaultCarrier } from './carrier';
import type { RpcClient, RpcClientOptions } from './client';
import type * as GrpcJsClients from './grpc-js/create-client';
import { NativeClient } from './native/client/native-client';

/**
 * A gRPC client of one target (`HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`) on the carrier of choice. It connects with the first call.
 * @throws ShoalError INVALID_ARGUMENT for a target that cannot be
 */
export function createClient(target: string, options: RpcClientOptions = {}): RpcClient {
  const carrier = options.carrier ?? defaultCarrier;
  if (carrier === 'native') return new NativeClient(target, options);
  // Loaded when it is needed: it takes its time.
  const { createGrpcJsClient } = require('./grpc-js/create-client') as typeof GrpcJsClients;
  return createGrpcJsClient(target, options);
}
