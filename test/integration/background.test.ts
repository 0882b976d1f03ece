import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32, int32Output } from '../support/tensors';
import { eventually } from '../support/waiting';

const model = 'batcher_now';

let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({
    models: {
      [model]: {
        from: 'golden-models',
        fixture: 'batcher_delay',
        edit: (config) => config.replace(/dynamic_batching \{.*\}/, 'dynamic_batching { }'),
      },
    },
    args: ['--max-queue-requests', '160', '--max-inflight-requests', '400'],
  });
  await shoal.client.infer(request(0));
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

function request(value: number, { ms = 0, rows = 1, background = false } = {}) {
  const values = new Array<number>(rows).fill(value);
  const delays = new Array<number>(rows).fill(ms);
  const parameters = background ? { 'shoal.background': { bool_param: true } } : {};
  return inferRequest(model, [int32('INPUT0', [rows, 1], values), int32('DELAY_MS', [rows, 1], delays)], {
    parameters,
  });
}

async function statistics() {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name: model });
  return stats[0]!;
}

/** Executions by batch size. */
async function batches(): Promise<Record<string, number>> {
  return Object.fromEntries((await statistics()).batch_stats.map((one) => [one.batch_size, one.compute_infer!.count]));
}

async function counted(): Promise<number> {
  return (await statistics()).inference_stats!.success!.count;
}

test('a flood in the background is answered after all that came behind it, and shares no batch with it', async () => {
  await eventually('the first is counted', async () => (await counted()) === 1);
  const before = await batches();
  const order: string[] = [];
  const send = async (name: string, asked: ReturnType<typeof request>) => {
    const answer = await shoal.client.infer(asked);
    order.push(name);
    return int32Output(answer, 'OUTPUT0');
  };
  // One connection, whose requests arrive in this order: the runner is busy with the first when the others come.
  const blocker = send('blocker', request(0, { ms: 600 }));
  const flood = Array.from({ length: 30 }, (_, i) => send('background', request(i, { rows: 2, background: true })));
  const plain = Array.from({ length: 5 }, (_, i) => send('plain', request(i)));
  const answers = await Promise.all(plain);
  await blocker;
  expect(answers).toEqual([[0], [1], [2], [3], [4]]);
  expect((await Promise.all(flood)).flat()).toEqual(Array.from({ length: 60 }, (_, i) => i >> 1));
  expect(order).toEqual(['blocker', ...new Array(5).fill('plain'), ...new Array(30).fill('background')]);
  await eventually('all are counted', async () => (await counted()) === 37);
  const after = await batches();
  const made = Object.entries(after).map(([size, count]) => [Number(size), count - (before[size] ?? 0)] as const);
  // Those in the background have two rows each: what is odd is plain, alone.
  expect(made.filter(([size, count]) => size % 2 === 1 && count > 0)).toEqual([
    [1, 1],
    [5, 1],
  ]);
  const even = made.filter(([size]) => size % 2 === 0).reduce((sum, [size, count]) => sum + size * count, 0);
  expect(even).toBe(60);
}, 60_000);

test('a flood fills a queue of its own', async () => {
  const blocker = shoal.client.infer(request(0, { ms: 600 }));
  const flood = Array.from({ length: 60 }, () => shoal.client.infer(request(0, { background: true })));
  const plain = Array.from({ length: 100 }, () => shoal.client.infer(request(0)));
  const refused = (await Promise.allSettled(flood)).filter(({ status }) => status === 'rejected');
  // A quarter of 160 may wait.
  expect(refused).toHaveLength(20);
  expect(String((refused[0] as PromiseRejectedResult).reason)).toContain("the model's background queue is full");
  await Promise.all([blocker, ...plain]);
}, 60_000);

test('what is no bool is refused, in a stream too', async () => {
  const asked = { ...request(0), parameters: { 'shoal.background': { string_param: 'yes' } } };
  const details = "invalid value type for 'shoal.background' parameter, expected bool_param.";
  expect(await shoal.client.failure('ModelInfer', asked)).toEqual({ code: 'INVALID_ARGUMENT', details });
  const stream = shoal.client.stream();
  stream.send(asked);
  stream.send(request(7, { background: true }));
  await stream.finish();
  expect(stream.answers.map((answer) => answer.error_message)).toEqual([details, '']);
});
