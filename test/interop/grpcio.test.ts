import path from 'node:path';
import { assertNothingOpen, openNow } from '@shoal/testing';
import { type Running, serveOurs, serverCarriers } from './servers';
import { findPython, run } from './tools';

const script = path.join(__dirname, 'python', 'grpcio_checks.py');
const python = findPython();
const tried = python === undefined ? describe.skip : describe;

/** Each is a function of the script. */
const checks = [
  'unary_sizes',
  'streams',
  'bidi',
  'metadata',
  'status',
  'deadline_and_cancel',
  'concurrent',
  'aio',
  'compression',
];

tried('the script', () => {
  test('has these checks and no others', async () => {
    const { output } = await run(python!, ['-B', script, '--list']);
    expect(output.trim().split('\n')).toEqual(checks);
  });
});

tried.each(serverCarriers)("gRPC's C core against our server on %s", (carrier) => {
  let openBefore: string[];
  let server: Running;

  beforeAll(async () => {
    openBefore = openNow();
    server = await serveOurs(carrier);
  });

  afterAll(async () => {
    await server.stop();
    await assertNothingOpen(openBefore);
  });

  // grpc-js's server neither compresses nor tells whether a request was compressed.
  test.each(checks.filter((check) => carrier === 'native' || check !== 'compression'))('%s', async (check) => {
    const outcome = await run(python!, ['-B', script, `127.0.0.1:${server.port}`, check], 60_000);
    expect(outcome).toEqual({ code: 0, output: `PASS ${check}\n` });
  });
});
