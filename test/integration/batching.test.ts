import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32, int32Output } from '../support/tensors';
import { eventually, sleep } from '../support/waiting';

/** Lets a batch wait for longer than any test does, so that what leaves has not left because of the delay. */
const patient = (config: string) => config.replace(/(max_queue_delay_microseconds): \d+/, '$1: 100000000');

let shoal: Shoal;
/** DELAY_MS that keeps a runner busy for about half a second. */
let blockMs: number;

beforeAll(async () => {
  shoal = await startShoal({
    models: {
      batcher_pref: { from: 'golden-models', edit: patient },
      batcher_now: {
        from: 'golden-models',
        fixture: 'batcher_delay',
        edit: (config) => config.replace(/dynamic_batching \{.*\}/, 'dynamic_batching { }'),
      },
      orderly: {
        from: 'golden-models',
        fixture: 'batcher_delay',
        edit: (config) =>
          `${config.replace(/dynamic_batching \{.*\}/, 'dynamic_batching { preserve_ordering: true }')}\ninstance_group [ { count: 2 kind: KIND_CPU } ]`,
      },
      queue_prio: { from: 'golden-models' },
      queue_timeout: { from: 'golden-models', edit: patient },
    },
  });
  // The first request also connects and warms up.
  await shoal.client.infer(slow('batcher_now', 0));
  const started = performance.now();
  await shoal.client.infer(slow('batcher_now', 0, { ms: 100 }));
  blockMs = Math.round((100 * 500) / (performance.now() - started));
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

function slow(model: string, value: number, { ms = 0, parameters = {}, rows = 1 } = {}) {
  const values = new Array<number>(rows).fill(value);
  const delays = new Array<number>(rows).fill(ms);
  const inputs = [int32('INPUT0', [rows, 1], values), int32('DELAY_MS', [rows, 1], delays)];
  return inferRequest(model, inputs, { parameters });
}

/** Executions by batch size. */
async function batches(name: string): Promise<Record<string, number>> {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name });
  return Object.fromEntries(stats[0]!.batch_stats.map((one) => [one.batch_size, one.compute_infer!.count]));
}

async function requests(name: string): Promise<number> {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name });
  return stats[0]!.inference_stats!.success!.count;
}

test('what gathers behind a running batch leaves in full batches', async () => {
  await eventually('the calibration is counted', async () => (await requests('batcher_now')) === 2);
  const blocker = shoal.client.infer(slow('batcher_now', 0, { ms: blockMs }));
  await sleep(100);
  const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => shoal.client.infer(slow('batcher_now', i))));
  await blocker;
  expect(answers.map((answer) => int32Output(answer, 'OUTPUT0'))).toEqual(Array.from({ length: 16 }, (_, i) => [i]));
  await eventually('all are counted', async () => (await requests('batcher_now')) === 19);
  expect(await batches('batcher_now')).toEqual({ 1: 3, 8: 2 });
}, 20_000);

test('preferred sizes leave at once, another waits', async () => {
  // Preferred are 2 and 6.
  for (const rows of [2, 6]) await shoal.client.infer(slow('batcher_pref', 1, { rows }));
  let answered = false;
  const single = shoal.client.infer(slow('batcher_pref', 1)).then(() => (answered = true));
  await sleep(400);
  expect(answered).toBe(false);
  await Promise.all([single, shoal.client.infer(slow('batcher_pref', 1))]);
  await eventually('all are counted', async () => (await requests('batcher_pref')) === 4);
  expect(await batches('batcher_pref')).toEqual({ 2: 2, 6: 1 });
}, 20_000);

test('a higher priority overtakes, equal ones keep their order', async () => {
  const blocker = shoal.client.infer(slow('queue_prio', 0, { ms: blockMs }));
  await sleep(100);
  const order: string[] = [];
  const send = async (name: string, priority?: number) => {
    const parameters = priority === undefined ? {} : { priority: { uint64_param: priority } };
    await shoal.client.infer(slow('queue_prio', 1, { ms: 5, parameters }));
    order.push(name);
  };
  // What is granted to the runner ahead of time leaves the queue; this one may be it.
  const first = send('first', 3);
  await sleep(30);
  const others = [
    send('low a', 3),
    send('default a'),
    send('low b', 3),
    send('high a', 1),
    send('default b', 2),
    send('high b', 1),
  ];
  await Promise.all([blocker, first, ...others]);
  expect(order.filter((name) => name !== 'first')).toEqual([
    'high a',
    'high b',
    'default a',
    'default b',
    'low a',
    'low b',
  ]);
}, 20_000);

test('where order is preserved, a quick answer of one instance waits for the slow one of another', async () => {
  const order: string[] = [];
  const send = async (name: string, ms: number) => {
    await shoal.client.infer(slow('orderly', 1, { ms }));
    order.push(name);
  };
  const first = send('slow', blockMs);
  await sleep(100);
  const quick = send('quick', 0);
  await Promise.all([first, quick]);
  expect(order).toEqual(['slow', 'quick']);
}, 20_000);

test('a request that waits longer than its queue’s time-out is refused; it may ask for a shorter one only', async () => {
  const order: string[] = [];
  const refusal = async (name: string, timeout?: number) => {
    const parameters = timeout === undefined ? {} : { timeout: { int64_param: timeout } };
    const failure = await shoal.client.failure('ModelInfer', slow('queue_timeout', 1, { parameters }), {
      deadlineMs: 15_000,
    });
    order.push(name);
    return failure;
  };
  const failures = await Promise.all([refusal('longer', 60_000_000), refusal('plain'), refusal('shorter', 50_000)]);
  for (const failure of failures) expect(failure).toEqual({ code: 'UNAVAILABLE', details: 'Request timeout expired' });
  expect(order[0]).toBe('shorter');
}, 20_000);
