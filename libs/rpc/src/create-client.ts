import { defaultCarrier } from './carrier';
import type { RpcClient, RpcClientOptions } from './client';
import { createGrpcJsClient } from './grpc-js/create-client';

/** A gRPC client of one target (`HOST:PORT` or `unix:PATH`) on the carrier of choice. It connects with the first call. */
export function createClient(target: string, options: RpcClientOptions = {}): RpcClient {
  const carrier = options.carrier ?? defaultCarrier;
  if (carrier === 'native') throw new Error('the native carrier is not there yet');
  return createGrpcJsClient(target, options);
}
