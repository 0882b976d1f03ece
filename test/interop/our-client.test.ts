import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ClientTlsOptions, type GrpcCarrier, type RpcClient, createClient } from '@shoal/rpc';
import { assertNothingOpen, openNow } from '@shoal/testing';
import { selfSigned } from '@shoal/testing';
import { cases, compressionCases } from './cases';
import { serveGrpcJs } from './grpc-js-server';
import { serveGrpcio } from './grpcio-server';
import { serveOfficial } from './official-server';
import { type Running, clientCarriers, serveOurs, serverCarriers } from './servers';
import { findPython, findTool } from './tools';

const official = findTool('interopServer');
const python = findPython();
const { cert, key } = selfSigned();
const folder = mkdtempSync(path.join(tmpdir(), 'interop-'));

afterAll(() => rmSync(folder, { recursive: true }));

interface Server {
  start(): Promise<Running>;
  readonly tls?: ClientTlsOptions;
  /** The cases with compression that it can play. */
  readonly compression?: readonly string[];
}

const servers: Record<string, Server> = {
  'grpc-js': { start: serveGrpcJs },
};
for (const carrier of serverCarriers) {
  const compression = carrier === 'native' ? Object.keys(compressionCases) : [];
  servers[`ours on ${carrier}`] = { start: () => serveOurs(carrier), compression };
  servers[`ours on ${carrier} with TLS`] = {
    start: () => serveOurs(carrier, { tls: { cert, key } }),
    tls: { ca: cert, serverName: 'localhost' },
    compression,
  };
}
if (python !== undefined) {
  servers["gRPC's C core"] = {
    start: () => serveGrpcio(python),
    compression: ['server_compressed_unary', 'server_compressed_streaming'],
  };
}
if (official !== undefined) {
  servers["gRPC's interop server"] = { start: () => serveOfficial(official) };
  servers["gRPC's interop server with TLS"] = {
    start() {
      for (const [name, pem] of Object.entries({ cert, key })) writeFileSync(path.join(folder, name), pem);
      const files = [`-tls_cert_file=${path.join(folder, 'cert')}`, `-tls_key_file=${path.join(folder, 'key')}`];
      return serveOfficial(official, '-use_tls=true', ...files);
    },
    tls: { ca: cert, serverName: 'localhost' },
  };
}

describe.each(Object.keys(servers))('our client against %s', (name) => {
  const { tls, compression = [] } = servers[name] as Server;
  let openBefore: string[];
  let server: Running;

  beforeAll(async () => {
    openBefore = openNow();
    server = await (servers[name] as Server).start();
  });

  afterAll(async () => {
    await server.stop();
    await assertNothingOpen(openBefore);
  });

  describe.each(clientCarriers)('on %s', (carrier) => {
    let client: RpcClient;

    beforeAll(() => (client = open(carrier)));

    afterAll(() => client.close());

    test.each(Object.keys(cases))('%s', async (one) => {
      await expect(cases[one]?.(client)).resolves.toBeUndefined();
    });

    test('channel_soak', async () => {
      for (let i = 0; i < 10; i += 1) {
        const fresh = open(carrier);
        await expect(cases['large_unary']?.(fresh)).resolves.toBeUndefined();
        fresh.close();
      }
    });

    if (compression.length > 0) {
      test.each(compression)('%s', async (one) => {
        await expect(compressionCases[one]?.(client)).resolves.toBeUndefined();
      });
    }
  });

  function open(carrier: GrpcCarrier): RpcClient {
    return createClient(`127.0.0.1:${server.port}`, { carrier, ...(tls && { tls }) });
  }
});
