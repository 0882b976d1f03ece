import { type Running, serveOurs, serverCarriers } from './servers';
import { findTool, run } from './tools';

const ghz = findTool('ghz');
const tried = ghz === undefined ? describe.skip : describe;

/** What of ghz's JSON report tells whether all went well. */
interface Report {
  readonly count: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
}

tried.each(serverCarriers)('ghz against our server on %s', (carrier) => {
  let server: Running;

  beforeAll(async () => (server = await serveOurs(carrier)));

  afterAll(() => server.stop());

  async function load(method: string, data: object, ...flags: string[]): Promise<Report> {
    const call = ['--insecure', '--call', `grpc.testing.TestService.${method}`, '-d', JSON.stringify(data)];
    const { code, output } = await run(ghz!, [...call, '-O', 'json', ...flags, `127.0.0.1:${server.port}`]);
    if (code !== 0) throw new Error(output);
    const { count, statusCodeDistribution } = JSON.parse(output) as Report;
    return { count, statusCodeDistribution };
  }

  test.each([
    ['small unary calls, 100 at once on 4 connections', 'UnaryCall', { response_size: 32 }, 5000, 100, 4],
    ['unary calls of 50 KB each way', 'UnaryCall', { response_size: 50_000, payload: zeros(50_000) }, 200, 20, 2],
    ['server streams', 'StreamingOutputCall', { response_parameters: [{ size: 10 }, { size: 1000 }] }, 1000, 50, 2],
    ['two-way streams', 'FullDuplexCall', { response_parameters: [{ size: 10 }] }, 500, 50, 2],
  ])('%s', async (_name, method, data, calls, concurrency, connections) => {
    const flags = ['-n', String(calls), '-c', String(concurrency), '--connections', String(connections), '-t', '20s'];
    const stream = method === 'FullDuplexCall' ? ['--stream-call-count', '10'] : [];
    const report = await load(method, data, ...flags, ...stream);
    expect(report).toEqual({ count: calls, statusCodeDistribution: { OK: calls } });
  });

  if (carrier === 'native') {
    test('compressed requests', async () => {
      const asked = { payload: zeros(10_000), response_size: 10_000, expect_compressed: { value: true } };
      const report = await load('UnaryCall', asked, '-n', '500', '-c', '20', '--enable-compression');
      expect(report).toEqual({ count: 500, statusCodeDistribution: { OK: 500 } });
      const plain = await load('UnaryCall', asked, '-n', '5', '-c', '1');
      expect(plain).toEqual({ count: 5, statusCodeDistribution: { InvalidArgument: 5 } });
    });
  }
});

function zeros(size: number): object {
  return { body: Buffer.alloc(size).toString('base64') };
}
