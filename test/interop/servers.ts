import { systemClock } from '@shoal/core';
import { type GrpcCarrier, type ServerSettings, type TlsOptions, addReflection, createServer } from '@shoal/rpc';
import { testProto } from './protocol';
import { addTestService } from './test-service';

/** The carriers that serve what this folder tries. */
export const carriers: readonly GrpcCarrier[] = ['grpc-js'];

/** A server that listens for one test file. */
export interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

/** The test service, with reflection, on a server of ours. */
export async function serveOurs(
  carrier: GrpcCarrier,
  { tls, ...settings }: Partial<ServerSettings> & { readonly tls?: TlsOptions } = {},
): Promise<Running> {
  const server = createServer({ clock: systemClock, carrier, ...settings });
  addTestService(server);
  addReflection(server, [testProto]);
  const port = await server.listen('127.0.0.1:0', tls);
  return { port, stop: () => server.drain(1000) };
}
