import { defaultCarrier } from './carrier';
import { createGrpcJsServer } from './grpc-js/create-server';
import type { RpcServer, ServerSettings } from './server';

/** A gRPC server on the carrier of choice. */
export function createServer(settings: ServerSettings): RpcServer {
  const carrier = settings.carrier ?? defaultCarrier;
  if (carrier === 'native') throw new Error('the native carrier is not there yet');
  return createGrpcJsServer(settings);
}
