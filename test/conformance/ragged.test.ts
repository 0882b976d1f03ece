import { type Shoal, startShoal } from '../support/shoal';
import { float32, float32Output, inferRequest, int32Output } from '../support/tensors';
import { eventually } from '../support/waiting';

/** Three requests make a batch; until then all wait. */
const threes = (config: string) =>
  config.replace(
    /dynamic_batching \{.*\}/,
    'dynamic_batching { preferred_batch_size: [ 3 ] max_queue_delay_microseconds: 100000000 }',
  );

let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({
    models: {
      ragged_sum: { edit: threes },
      ragged_kinds: {
        edit: threes,
        append: `model_warmup [ { name: "two" batch_size: 2 inputs { key: "X" value { data_type: TYPE_FP32 dims: [ 3 ] random_data: true } } } ]`,
      },
      alone: { fixture: 'ragged_kinds', edit: (config) => config.replace('dynamic_batching { }', '') },
    },
  });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

const numbers = [[1, 2, 3], [10], [4, 5, 6, 7]];

/** One request of one item for each of `numbers`, all at once. */
function answers(model: string, input: string) {
  return Promise.all(
    numbers.map((values) => shoal.client.infer(inferRequest(model, [float32(input, [1, values.length], values)]))),
  );
}

/** Executions by batch size. */
async function batches(name: string): Promise<Record<string, number>> {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name });
  return Object.fromEntries(stats[0]!.batch_stats.map((one) => [one.batch_size, one.compute_infer!.count]));
}

test('requests of different lengths share a batch, and each gets its own sum', async () => {
  const all = await answers('ragged_sum', 'INPUT');
  expect(all.map((answer) => float32Output(answer, 'OUTPUT'))).toEqual([[6], [10], [22]]);
  await eventually('the batch is counted', async () => (await batches('ragged_sum'))['3'] === 1);
  expect(await batches('ragged_sum')).toEqual({ 3: 1 });
});

test('the model is told the shapes in each of Triton’s ways, and outputs are cut by the shapes of inputs', async () => {
  const all = await answers('ragged_kinds', 'X');
  expect(all.map((answer) => float32Output(answer, 'TWICE'))).toEqual([[2, 4, 6], [20], [8, 10, 12, 14]]);
  expect(all.map(({ outputs }) => outputs.find(({ name }) => name === 'TWICE')?.shape.map(Number))).toEqual([
    [1, 3],
    [1, 1],
    [1, 4],
  ]);
  for (const output of ['COUNTS', 'DIFFERENCES', 'SHAPES', 'FLATS']) {
    expect([output, all.map((answer) => int32Output(answer, output)).flat()]).toEqual([output, [3, 1, 4]]);
  }
  // The order in a batch is that of arrival, which the client does not decide.
  const sums = all.map((answer) => float32Output(answer, 'SUMS')).flat();
  expect(Math.max(...sums)).toBe(8);
  const longest = all.map(({ outputs, raw_output_contents: raw }) =>
    raw[outputs.findIndex(({ name }) => name === 'LONGESTS')]!.readBigInt64LE(),
  );
  expect(longest).toEqual([4n, 4n, 4n]);
  await eventually('the batch is counted', async () => (await batches('ragged_kinds'))['3'] === 1);
});

test('without a batcher each is a batch of its own', async () => {
  const all = await answers('alone', 'X');
  expect(all.map((answer) => float32Output(answer, 'TWICE'))).toEqual([[2, 4, 6], [20], [8, 10, 12, 14]]);
  expect(all.map((answer) => float32Output(answer, 'SUMS')).flat()).toEqual([3, 1, 4]);
});

test('a model that cannot tell whose rows are whose fails for those requests, and goes on', async () => {
  const two = inferRequest('alone', [float32('X', [2, 2], [1, 2, 3, 4])]);
  const { code } = await shoal.client.failure('ModelInfer', two);
  expect(code).toBe('INTERNAL');
  expect((await answers('alone', 'X')).length).toBe(3);
});
