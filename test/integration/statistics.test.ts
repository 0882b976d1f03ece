import { type Shoal, startShoal } from '../support/shoal';
import type { ResponseOf } from '../support/stock-client';
import { float32, inferRequest, int32, int64 } from '../support/tensors';
import { eventually } from '../support/waiting';

type Statistics = ResponseOf<'ModelStatistics'>['model_stats'][number];

let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({
    models: {
      lc_one: { from: 'golden-models' },
      versions: { from: 'golden-models' },
      fail_negative: { from: 'golden-models' },
      fails_on_poison: {
        append: 'dynamic_batching { preferred_batch_size: [ 8 ] max_queue_delay_microseconds: 1000000 }',
      },
    },
    args: ['--model-control-mode=explicit', '--load-model=*'],
  });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

async function statistics(name: string, version = ''): Promise<Statistics[]> {
  return (await shoal.client.call('ModelStatistics', { name, version })).model_stats;
}

/** The only version's statistics, once `requests` have been counted. */
async function counted(name: string, requests: number): Promise<Statistics> {
  return eventually(`${requests} requests of ${name} are counted`, async () => {
    const [one] = await statistics(name);
    const { success, fail } = one!.inference_stats!;
    return success!.count + fail!.count >= requests && one;
  });
}

const rows = (model: string, values: readonly number[], version = '') =>
  inferRequest(model, [int32('INPUT0', [values.length, 1], values)], { model_version: version });

test('requests, batch items, executions and times add up as Triton’s do', async () => {
  const before = Date.now();
  for (const values of [[1], [2], [3, 4], [5, 6, 7], [8, 9, 10]]) await shoal.client.infer(rows('lc_one', values));
  const one = await counted('lc_one', 5);

  expect(one).toMatchObject({ name: 'lc_one', version: '2', inference_count: 10, execution_count: 5 });
  expect(one.last_inference).toBeGreaterThanOrEqual(before);
  expect(one.last_inference).toBeLessThanOrEqual(Date.now());
  const stats = one.inference_stats!;
  for (const key of ['success', 'queue', 'compute_input', 'compute_infer', 'compute_output'] as const) {
    expect([key, stats[key]!.count]).toEqual([key, 5]);
    expect([key, stats[key]!.ns > 0]).toEqual([key, true]);
  }
  for (const key of ['fail', 'cache_hit', 'cache_miss'] as const) expect(stats[key]).toEqual({ count: 0, ns: 0 });
  const parts = stats.queue!.ns + stats.compute_input!.ns + stats.compute_infer!.ns + stats.compute_output!.ns;
  expect(stats.success!.ns).toBeGreaterThanOrEqual(parts);

  const batches = one.batch_stats.map((batch) => [
    batch.batch_size,
    batch.compute_input!.count,
    batch.compute_infer!.count,
    batch.compute_output!.count,
  ]);
  expect(batches).toEqual([
    [1, 2, 2, 2],
    [2, 1, 1, 1],
    [3, 2, 2, 2],
  ]);
  // Executions were of one request each, so both ways of counting the run time agree.
  const inferNs = one.batch_stats.reduce((sum, batch) => sum + batch.compute_infer!.ns, 0);
  expect(inferNs).toBe(stats.compute_infer!.ns);
});

test('a batch of eight requests is one execution, and each request is charged all of it', async () => {
  const member = (i: number) =>
    shoal.client.infer(inferRequest('fails_on_poison', [float32('X', [1, 1], [i]), int64('POISON', [1, 1], [0])]));
  await Promise.all(Array.from({ length: 8 }, (_, i) => member(i)));
  const one = await counted('fails_on_poison', 8);
  expect(one).toMatchObject({ inference_count: 8, execution_count: 1 });
  expect(one.batch_stats).toHaveLength(1);
  const [batch] = one.batch_stats;
  expect([batch!.batch_size, batch!.compute_infer!.count]).toEqual([8, 1]);
  expect(one.inference_stats!.success!.count).toBe(8);
  expect(one.inference_stats!.compute_infer!.count).toBe(8);
  expect(one.inference_stats!.compute_infer!.ns).toBe(8 * batch!.compute_infer!.ns);
});

test('a failed request counts as failed and in nothing else', async () => {
  await shoal.client.infer(rows('fail_negative', [1]));
  expect((await shoal.client.failure('ModelInfer', rows('fail_negative', [-1]))).code).toBe('INTERNAL');
  const one = await counted('fail_negative', 2);
  expect(one.inference_count).toBe(1);
  expect(one.inference_stats!.success!.count).toBe(1);
  expect(one.inference_stats!.fail!.count).toBe(1);
  expect(one.inference_stats!.fail!.ns).toBeGreaterThan(0);
});

test('a request that is refused at the door counts nowhere', async () => {
  const [before] = await statistics('fail_negative');
  for (let i = 0; i < 3; i += 1) {
    const refused = inferRequest('fail_negative', [int32('INPUT0', [1, 2], [1, 2])]);
    expect((await shoal.client.failure('ModelInfer', refused)).code).toBe('INVALID_ARGUMENT');
  }
  const [after] = await statistics('fail_negative');
  expect(after).toEqual(before);
});

test('each version counts for itself; no name means every ready version', async () => {
  await shoal.client.infer(rows('versions', [1], '1'));
  for (let i = 0; i < 2; i += 1) await shoal.client.infer(rows('versions', [1]));
  await eventually('both are counted', async () => {
    const counts = (await statistics('versions')).map((one) => [one.version, one.execution_count]);
    return counts.join() === '1,1,3,2' && counts;
  });
  const [third] = await statistics('versions', '3');
  expect(third!.execution_count).toBe(2);
  const all = (await statistics('')).map(({ name, version }) => `${name} ${version}`);
  expect(all.toSorted()).toEqual(['fail_negative 1', 'fails_on_poison 1', 'lc_one 2', 'versions 1', 'versions 3']);
});

test('loading an unchanged model again keeps its statistics, a changed one starts anew', async () => {
  await counted('lc_one', 5);
  await shoal.client.call('RepositoryModelLoad', { model_name: 'lc_one' });
  expect((await counted('lc_one', 5)).execution_count).toBe(5);
  const config = JSON.stringify({ name: 'lc_one', platform: 'onnxruntime_onnx', max_batch_size: 4 });
  await shoal.client.call('RepositoryModelLoad', {
    model_name: 'lc_one',
    parameters: { config: { string_param: config } },
  });
  const [fresh] = await statistics('lc_one');
  expect(fresh).toMatchObject({ inference_count: 0, execution_count: 0, last_inference: 0, batch_stats: [] });
  await shoal.client.infer(rows('lc_one', [1]));
  expect((await counted('lc_one', 1)).execution_count).toBe(1);
});
