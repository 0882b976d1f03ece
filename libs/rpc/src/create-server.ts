import { defaultCarrier } from './carrier';
import type * as GrpcJsServers from './grpc-js/create-server';
import { NativeServer } from './native/server/native-server';
import type { RpcServer, ServerSettings } from './server';

/** A gRPC server on the carrier of choice. */
export function createServer(settings: ServerSettings): RpcServer {
  const carrier = settings.carrier ?? defaultCarrier;
  if (carrier === 'native') return new NativeServer(settings);
  // Loaded when it is needed: it takes its time.
  const { createGrpcJsServer } = require('./grpc-js/create-server') as typeof GrpcJsServers;
  return createGrpcJsServer(settings);
}
