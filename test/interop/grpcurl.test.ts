import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { selfSigned } from '@shoal/testing';
import { type Running, serveOurs, serverCarriers } from './servers';
import { findTool, run } from './tools';

const grpcurl = findTool('grpcurl');
const tried = grpcurl === undefined ? describe.skip : describe;
const service = 'grpc.testing.TestService';

/** grpcurl knows nothing of the service but what reflection tells it. */
tried.each(serverCarriers)('grpcurl against our server on %s', (carrier) => {
  const { cert, key } = selfSigned();
  let folder: string;
  let servers: Running[];
  let tcp: readonly string[];
  let tls: readonly string[];
  let unix: readonly string[];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'grpcurl-'));
    const ca = path.join(folder, 'ca.pem');
    writeFileSync(ca, cert);
    const socket = path.join(folder, 'socket');
    servers = [
      await serveOurs(carrier),
      await serveOurs(carrier, { tls: { cert, key } }),
      await serveOurs(carrier, { address: `unix:${socket}` }),
    ];
    tcp = ['-plaintext', `127.0.0.1:${servers[0]?.port}`];
    tls = ['-cacert', ca, '-servername', 'localhost', `127.0.0.1:${servers[1]?.port}`];
    unix = ['-plaintext', `unix://${socket}`];
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true });
  });

  /** Flags come before the address, the method after it. */
  async function ask(where: readonly string[], flags: readonly string[], ...what: string[]): Promise<string> {
    const { code, output } = await run(grpcurl!, ['-max-time', '20', ...flags, ...where, ...what]);
    return code === 0 ? output : `exit ${code}: ${output}`;
  }

  test('lists and describes the service', async () => {
    const listed = await ask(tcp, [], 'list');
    expect(listed.trim().split('\n')).toEqual(expect.arrayContaining([service, 'grpc.testing.UnimplementedService']));
    expect(await ask(tcp, [], 'describe', `${service}.UnaryCall`)).toContain(
      'rpc UnaryCall ( .grpc.testing.SimpleRequest ) returns ( .grpc.testing.SimpleResponse );',
    );
  });

  test.each(['tcp', 'tls', 'unix'] as const)('calls over %s', async (way) => {
    const where = { tcp, tls, unix }[way];
    const answer = await ask(where, ['-d', '{"response_size": 3}'], `${service}/UnaryCall`);
    expect(JSON.parse(answer)).toEqual({ payload: { body: 'AAAA' } });
  });

  test('metadata both ways', async () => {
    const headers = ['-H', 'x-grpc-test-echo-initial: hello', '-H', 'x-grpc-test-echo-trailing-bin: CgsKCw=='];
    const answer = await ask(tcp, ['-v', ...headers], `${service}/UnaryCall`);
    expect(answer).toMatch(/Response headers received:[^]*x-grpc-test-echo-initial: hello\n/);
    expect(answer).toMatch(/Response trailers received:\nx-grpc-test-echo-trailing-bin: CgsKCw==?\n/);
  });

  test('streams', async () => {
    const asked = '{"response_parameters": [{"size": 1}, {"size": 2}]}';
    const output = await ask(tcp, ['-d', asked], `${service}/StreamingOutputCall`);
    expect(output.match(/"body": "[^"]+"/g)).toEqual(['"body": "AA=="', '"body": "AAA="']);
    const duplex = await ask(tcp, ['-d', `${asked} ${asked}`], `${service}/FullDuplexCall`);
    expect(duplex.match(/"body"/g)).toHaveLength(4);
    const input = await ask(tcp, ['-d', '{"payload": {"body": "AAAA"}} {}'], `${service}/StreamingInputCall`);
    expect(JSON.parse(input)).toEqual({ aggregatedPayloadSize: 3 });
  });

  test('failures', async () => {
    const asked = '{"response_status": {"code": 9, "message": "größer\\n"}}';
    const failed = await ask(tcp, ['-d', asked], `${service}/UnaryCall`);
    expect(failed).toBe('exit 73: ERROR:\n  Code: FailedPrecondition\n  Message: größer\n\n');
    expect(await ask(tcp, [], `${service}/UnimplementedCall`)).toMatch(/^exit \d+: ERROR:\n  Code: Unimplemented\n/);
    const slow = '{"response_parameters": [{"size": 1, "interval_us": 60000000}]}';
    const late = await run(grpcurl!, ['-max-time', '0.2', '-d', slow, ...tcp, `${service}/StreamingOutputCall`]);
    expect(late.output).toContain('Code: DeadlineExceeded');
  });
});
