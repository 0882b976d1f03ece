import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assertNothingOpen, openNow } from '@shoal/testing';
import { selfSigned } from '@shoal/testing';
import { type Running, serveOurs, serverCarriers } from './servers';
import { type Outcome, findTool, run } from './tools';

/** All cases that grpc-go's client plays without an identity at Google or a load report. */
const cases = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'status_code_and_message',
  'special_status_message',
  'custom_metadata',
  'unimplemented_method',
  'unimplemented_service',
];
/** INTEROP_SOAK says how many large calls, and how many connections, a soak has (default: a short one). */
const soaks = ['rpc_soak', 'channel_soak'];
const soakCalls = Number(process.env['INTEROP_SOAK'] ?? 40);
const soakSeconds = 20 + soakCalls / 20;

const client = findTool('interopClient');
const tried = client === undefined ? describe.skip : describe;

/** The official client plays one case; when it fails, its output tells why. */
async function play(port: number, testCase: string, ...args: string[]): Promise<Outcome> {
  // By number: nobody's name server shall be asked.
  const where = ['-server_host=127.0.0.1', `-server_port=${port}`];
  const outcome = await run(client!, [...where, `-test_case=${testCase}`, ...args], soakSeconds * 1000 + 5000);
  return { ...outcome, output: outcome.code === 0 ? '' : outcome.output };
}

const passed = { code: 0, output: '' };

tried.each(serverCarriers)("gRPC's interop client against our server on %s", (carrier) => {
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

  test.each(cases)('%s', async (testCase) => {
    expect(await play(server.port, testCase, '-use_tls=false')).toEqual(passed);
  });

  test.each(soaks)(
    '%s',
    async (testCase) => {
      const args = ['-use_tls=false', `-soak_iterations=${soakCalls}`, '-soak_num_threads=4'];
      // A loaded machine may be slow; what counts is that every call is answered.
      const patience = ['-soak_per_iteration_max_acceptable_latency_ms=10000'];
      patience.push(`-soak_overall_timeout_seconds=${Math.ceil(soakSeconds)}`);
      expect(await play(server.port, testCase, ...args, ...patience)).toEqual(passed);
    },
    soakSeconds * 1000 + 10_000,
  );

  test('what it plays can fail', async () => {
    const { code } = await play(server.port, 'large_unary', '-use_tls=true');
    expect(code).not.toBe(0);
  });
});

tried.each(serverCarriers)("gRPC's interop client with TLS against our server on %s", (carrier) => {
  let server: Running;
  let folder: string;
  let ca: string;

  beforeAll(async () => {
    const { cert, key } = selfSigned();
    folder = mkdtempSync(path.join(tmpdir(), 'interop-'));
    ca = path.join(folder, 'ca.pem');
    writeFileSync(ca, cert);
    server = await serveOurs(carrier, { tls: { cert, key } });
  });

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await server.stop();
  });

  test.each(['large_unary', 'ping_pong', 'custom_metadata', 'cancel_after_first_response'])('%s', async (testCase) => {
    const args = ['-use_tls=true', `-ca_file=${ca}`, '-use_test_ca=true', '-server_host_override=localhost'];
    expect(await play(server.port, testCase, ...args)).toEqual(passed);
  });
});
