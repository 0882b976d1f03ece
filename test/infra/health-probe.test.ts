import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, type Server, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@shoal/core';
import { type RpcServer, type ServingStatus, addHealth, createServer, grpcCarriers } from '@shoal/rpc';
import { root } from '../support/paths';

/** `shoal health`, as it is started in the images. */
const program = join(root, 'services/standalone/dist/health/cli.js');

/** Runs the images' health check; resolves with its exit code and what it said. */
function probe(address: string, ...more: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, '--url', address, ...more], (error, _, said) =>
      resolve({ code: Number(error?.code ?? 0), said }),
    );
  });
}

describe.each(grpcCarriers)('the health check of a server on %s', (carrier) => {
  let server: RpcServer;
  let status: ServingStatus;
  let address: string;

  beforeEach(async () => {
    server = createServer({ clock: systemClock, carrier });
    addHealth(server, {
      statusOf: (service) => (service === 'liveness' ? 'SERVING' : undefined),
      status: () => status,
      onChange: () => () => undefined,
    });
    address = `127.0.0.1:${await server.listen('127.0.0.1:0')}`;
  });

  afterEach(() => server.drain(1000));

  test('passes while it serves', async () => {
    status = 'SERVING';
    expect(await probe(address)).toEqual({ code: 0, said: expect.any(String) });
  });

  test('fails while it does not', async () => {
    status = 'NOT_SERVING';
    expect(await probe(address)).toEqual({ code: 1, said: expect.stringContaining('not serving') });
    expect((await probe(address, '--service=liveness')).code).toBe(0);
  });
});

test('a server without the health service fails', async () => {
  const server = createServer({ clock: systemClock });
  const address = `127.0.0.1:${await server.listen('127.0.0.1:0')}`;
  expect(await probe(address)).toEqual({ code: 1, said: expect.stringContaining('gRPC status 12') });
  await server.drain(1000);
});

test('nobody there, or somebody who says nothing, fails', async () => {
  const silent: Server = createTcpServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  expect(await probe(address, '--timeout-ms=300')).toEqual({
    code: 1,
    said: expect.stringContaining('no answer in time'),
  });
  await new Promise((closed) => silent.close(closed));
  expect(await probe(address)).toEqual({ code: 1, said: expect.stringContaining('ECONNREFUSED') });
});

test('what is no question is told from what does not serve', async () => {
  expect(await probe('8001')).toEqual({ code: 2, said: expect.stringContaining('expected HOST:PORT') });
  expect(await probe('127.0.0.1:1', `--service=${'x'.repeat(128)}`)).toEqual({
    code: 2,
    said: expect.stringContaining('127 bytes'),
  });
});

test('every image has it as its health check', () => {
  const stages = readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8').split(/^FROM /m);
  const commands = stages.filter((stage) => /^CMD /m.test(stage));
  expect(commands).toHaveLength(5);
  for (const stage of commands) {
    const check = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(stage)?.[1] ?? '[]';
    expect(JSON.parse(check)).toEqual(['node', program.replace(root, '/shoal'), '--url=127.0.0.1:8081']);
  }
});
