import { createLocalBus } from '@shoal/bus';
import { seededRandom, systemClock } from '@shoal/core';
import { createTransport } from '@shoal/link';
import { silentLogger } from '@shoal/telemetry';
import { FakeClock, TestAuthority } from '@shoal/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type GrpcTlsConfig, openGrpcTls } from './grpc-tls';
import { startRouter } from './router';
import { testConfig } from './testing/router-rig';

const authority = new TestAuthority();
const none = {
  grpcUseSsl: false,
  grpcUseSslMutual: false,
  grpcServerCert: '',
  grpcServerKey: '',
  grpcRootCert: '',
};
let folder: string;
let warnings: string[];
const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'grpc-tls-'));
  const { cert, key } = authority.issue(['localhost']);
  writeFileSync(path.join(folder, 'cert'), cert);
  writeFileSync(path.join(folder, 'key'), key);
  writeFileSync(path.join(folder, 'ca'), authority.ca);
});
beforeEach(() => (warnings = []));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string) => path.join(folder, name);
const open = (config: Partial<GrpcTlsConfig>) => openGrpcTls({ ...none, ...config }, systemClock, logger);

test('the files that are named are opened', async () => {
  const pair = { grpcServerCert: file('cert'), grpcServerKey: file('key') };
  const one = await open({ grpcUseSsl: true, ...pair });
  const mutual = await open({ grpcUseSslMutual: true, ...pair, grpcRootCert: file('ca') });
  one?.close();
  mutual?.close();
  expect(Object.keys(one?.current ?? {})).toEqual(['cert', 'key']);
  expect(mutual?.current.ca).toEqual(authority.ca);
  expect(warnings).toEqual([]);
});

test('a router that does not start looks at the files no more', async () => {
  const clock = new FakeClock();
  const pair = { grpcUseSsl: true, grpcServerCert: file('cert'), grpcServerKey: file('key') };
  const tls = await openGrpcTls({ ...none, ...pair }, clock, logger);
  expect(clock.pending).toBe(1);
  const bus = createLocalBus({ clock });
  const started = startRouter({
    id: 'router-1',
    bus,
    transport: createTransport({ clock }),
    clock,
    random: seededRandom(1),
    logger,
    logControl: { info: true, warn: true, error: true, verboseLevel: 0 },
    config: testConfig({ authFile: '/nowhere' }),
    tls,
  });
  await expect(started).rejects.toThrow('there is no such file');
  expect(clock.pending).toBe(0);
  await bus.close();
});

test('without --grpc-use-ssl there is no TLS, and a warning for each file that is named', async () => {
  expect(await open({ grpcServerCert: file('cert') })).toBeUndefined();
  expect(warnings).toEqual(['--grpc-server-cert has no effect without --grpc-use-ssl: calls are not encrypted']);
});

test.each<[Partial<GrpcTlsConfig>, RegExp]>([
  [{ grpcUseSsl: true }, /^--grpc-use-ssl needs --grpc-server-cert and --grpc-server-key, each with a PEM file$/],
  [
    { grpcUseSslMutual: true, grpcServerCert: 'a', grpcServerKey: 'b' },
    /^--grpc-use-ssl-mutual needs --grpc-root-cert,/,
  ],
  [
    { grpcUseSsl: true, grpcServerCert: '/no/cert', grpcServerKey: '/no/key' },
    /^--grpc-server-cert=\/no\/cert: there is no such file$/,
  ],
])('%j is refused', async (config, text) => {
  await expect(open(config)).rejects.toThrow(text);
});

test('swapped files are refused', async () => {
  const swapped = { grpcServerCert: file('key'), grpcServerKey: file('cert') };
  await expect(open({ grpcUseSsl: true, ...swapped })).rejects.toThrow(
    /--grpc-server-cert=.* holds no certificate in PEM/,
  );
});
