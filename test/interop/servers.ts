import { systemClock } from '@shoal/core';
import { type GrpcCarrier, type ServerSettings, type TlsOptions, addReflection, createServer } from '@shoal/rpc';
import { testProto } from './protocol';
import { addTestService } from './test-service';

/** The carriers of servers and of clients that this folder tries. */
export const serverCarriers: readonly GrpcCarrier[] = ['native', 'grpc-js'];
export const clientCarriers: readonly GrpcCarrier[] = ['native', 'grpc-js'];

/** A server that listens for one test file. */
export interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

interface Where {
  /** Default: any port of this machine. */
  readonly address?: string;
  readonly tls?: TlsOptions;
}

/** The test service, with reflection, on a server of ours. */
export async function serveOurs(
  carrier: GrpcCarrier,
  { address = '127.0.0.1:0', tls, ...settings }: Partial<ServerSettings> & Where = {},
): Promise<Running> {
  const server = createServer({ clock: systemClock, carrier, ...settings });
  addTestService(server);
  addReflection(server, [testProto]);
  const port = await server.listen(address, tls);
  return { port, stop: () => server.drain(1000) };
}
