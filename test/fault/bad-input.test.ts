import { connect } from 'node:net';
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import { seededRandom } from '@shoal/core';
import { goldenCases, pathOf } from '../support/golden';
import { residentMb } from '../support/processes';
import { type Shoal, startShoal } from '../support/shoal';
import { StockClient } from '../support/stock-client';
import { TcpProxy } from '../support/tcp-proxy';
import { float32, inferRequest, isSimpleAnswer, simpleRequest } from '../support/tensors';
import { sleep, within } from '../support/waiting';

const maxMessage = 1024 * 1024;
const inferPath = '/inference.GRPCInferenceService/ModelInfer';
let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({
    models: { simple: { append: 'dynamic_batching { }' }, identity_fp32: {} },
    args: [`--grpc-max-message-bytes=${maxMessage}`],
  });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

/** After each attack the server lives and serves. */
afterEach(async () => {
  if (!(await serves())) throw new Error('the neighbour got a wrong answer');
});

/** Whether a well-behaved client gets its answer. */
async function serves(): Promise<boolean> {
  return isSimpleAnswer(await within('an answer', shoal.client.infer(simpleRequest(11)), 10_000), 11);
}

const wide = (bytes: number) =>
  inferRequest('identity_fp32', [float32('INPUT0', [1, bytes / 4], new Array<number>(bytes / 4).fill(1))]);

test.each([
  ['not protobuf', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a length that runs past the end', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f])],
  ['a field that never ends', Buffer.alloc(64, 0xff)],
  ['field number 0', Buffer.from([0x00, 0x01])],
  ['a group without end', Buffer.alloc(1000, 0x0b)],
])('%s is INVALID_ARGUMENT', async (_, bytes) => {
  const { status: code, details } = await shoal.raw.unary(inferPath, bytes);
  expect(code).toBe('INVALID_ARGUMENT');
  expect(details).not.toBe('');
});

test('valid requests, cut and mutated, get an answer or a refusal that names the fault', async () => {
  const seed = 4_711;
  const random = seededRandom(seed);
  const valid = goldenCases('infer.json')
    .filter(({ name }) => /^infer_simple/.test(name))
    .map((golden) => Buffer.from(golden.request ?? '', 'base64'));
  const allowed = new Set(['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED', 'RESOURCE_EXHAUSTED']);
  const surprises: string[] = [];
  const attack = async () => {
    for (let i = 0; i < 60; i += 1) {
      const bytes = Buffer.from(valid[Math.floor(random.next() * valid.length)]!);
      const cut = random.next() < 0.3 ? bytes.subarray(0, Math.floor(random.next() * bytes.length)) : bytes;
      for (let flips = Math.floor(random.next() * 4); flips > 0 && cut.length > 0; flips -= 1) {
        cut[Math.floor(random.next() * cut.length)] = Math.floor(random.next() * 256);
      }
      const { status: code, details } = await shoal.raw.unary(inferPath, cut);
      if (!allowed.has(code)) surprises.push(`${code} ${details}: ${cut.toString('base64')}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, attack));
  expect({ seed, surprises }).toEqual({ seed, surprises: [] });
}, 30_000);

test('a message over the limit is RESOURCE_EXHAUSTED, one just under it is served', async () => {
  const { code } = await shoal.client.failure('ModelInfer', wide(maxMessage + 4096));
  expect(code).toBe('RESOURCE_EXHAUSTED');
  const response = await shoal.client.infer(wide(maxMessage - 4096));
  expect(response.raw_output_contents[0]).toHaveLength(maxMessage - 4096);
});

test('a gzipped request is served', async () => {
  const client = new Client(shoal.address, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': 2,
    'grpc.use_local_subchannel_pool': 1,
  });
  const golden = goldenCases('infer.json').find(({ name }) => name === 'infer_simple')!;
  const got = await unary(client, pathOf(golden), Buffer.from(golden.request ?? '', 'base64'));
  expect(got.code).toBe('OK');
  client.close();
});

test('a gzipped request that unpacks to more than the limit is RESOURCE_EXHAUSTED, and takes no memory', async () => {
  const client = new Client(shoal.address, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': 2,
    'grpc.max_send_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
  });
  const before = residentMb(shoal.pid);
  const bomb = await unary(client, inferPath, Buffer.alloc(200 * 1024 * 1024));
  expect(bomb.code).toBe('RESOURCE_EXHAUSTED');
  expect(residentMb(shoal.pid) - before).toBeLessThan(100);
  client.close();
}, 30_000);

test.each([
  ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['noise', Buffer.alloc(4096, 0x5a)],
  ['a preface and noise', Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(4096, 0xff)])],
  ['nothing', Buffer.alloc(0)],
])('a connection that speaks %s harms nobody', async (_, bytes) => {
  const [host = '', port = ''] = shoal.address.split(':');
  const socket = connect(Number(port), host);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.write(bytes);
  expect(await serves()).toBe(true);
  socket.destroy();
  await closed;
});

test('connections that break in the middle of requests harm nobody', async () => {
  for (let round = 0; round < 10; round += 1) {
    const proxy = await TcpProxy.start(shoal.address);
    const client = new StockClient(proxy.address);
    const sent = Array.from({ length: 10 }, () => client.failure('ModelInfer', wide(500_000)));
    await sleep(3 * round);
    await proxy.cut();
    for (const { code } of await Promise.all(sent)) expect(['OK', 'UNAVAILABLE']).toContain(code);
    client.close();
  }
}, 20_000);

test('two hundred clients at once, each on a connection of its own, all get their answers', async () => {
  const clients = Array.from({ length: 200 }, () => new StockClient(shoal.address));
  const right = await Promise.all(
    clients.map(async (client, i) => {
      for (let j = 0; j < 5; j += 1) {
        const seed = 10 * i + j;
        if (!isSimpleAnswer(await client.infer(simpleRequest(seed)), seed)) return false;
      }
      return true;
    }),
  );
  for (const client of clients) client.close();
  expect(right).not.toContain(false);
}, 40_000);

function unary(client: Client, path: string, bytes: Buffer): Promise<{ code: string; details: string }> {
  const keep = (same: Buffer) => same;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, keep, keep, bytes, new Metadata(), { deadline: Date.now() + 20_000 }, (error) => {
      resolve(
        error
          ? { code: status[error.code] ?? String(error.code), details: error.details }
          : { code: 'OK', details: '' },
      );
    });
  });
}
