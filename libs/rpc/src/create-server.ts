import { defaultCarrier } from './carrier';
import { createGrpcJsServer } from './grpc-js/create-server';
import { NativeServer } from './native/server/native-server';
import type { RpcServer, ServerSettings } from './server';

/** A gRPC server on the carrier of choice. */
export function createServer(settings: ServerSettings): RpcServer {
  const carrier = settings.carrier ?? defaultCarrier;
  return carrier === 'native' ? new NativeServer(settings) : createGrpcJsServer(settings);
}
