import { type StatisticsCall, type VersionStatistics, instanceSubject, statisticsSubject } from '@shoal/bus';
import { Rig, type TestRouter, type TestRunner, settle } from '../test/rig';

const config = 'name: "m" max_batch_size: 8 dynamic_batching { }';
let rig: Rig;
let queue: string;
let router: TestRouter;
let runner: TestRunner;

beforeEach(async () => {
  rig = await Rig.start();
  queue = rig.announce('m', config);
  router = await rig.router('r1');
  runner = await rig.runner('w1', queue, 1);
});

afterEach(() => rig.end());

function ask(call: Partial<StatisticsCall> = {}): Promise<VersionStatistics[]> {
  return rig.bus.call(instanceSubject(statisticsSubject, 'b0'), { model: '', version: '', ...call });
}

const none = { count: 0, ns: 0 };
const zero = {
  model: 'm',
  version: 1,
  lastInferenceMs: 0,
  inferenceCount: 0,
  executionCount: 0,
  success: none,
  fail: none,
  queue: none,
  computeInput: none,
  computeInfer: none,
  computeOutput: none,
  batches: [],
};

test('of a fresh version all is zero', async () => {
  expect(await ask()).toEqual([zero]);
});

test('two requests of three rows that ran together: Triton’s arithmetic', async () => {
  // A blocker, so that the two share a batch.
  router.offer(queue);
  await settle();
  router.offer(queue, { rows: 3 });
  router.offer(queue, { rows: 3 });
  await settle();
  await rig.pass(5);
  runner.done(1);
  await settle();
  await rig.pass(2);
  runner.done(2, { waitNs: 500, computeInputNs: 10, computeInferNs: 20, computeOutputNs: 30 });
  await settle();
  expect(await ask()).toEqual([
    {
      ...zero,
      lastInferenceMs: 1007,
      inferenceCount: 7,
      executionCount: 2,
      success: { count: 3, ns: 5e6 + 7e6 + 7e6 },
      // The blocker waited for the runner's own 1000 ns; the two for 5 ms and 500 ns each.
      queue: { count: 3, ns: 1000 + 2 * (5e6 + 500) },
      computeInput: { count: 3, ns: 2000 + 10 + 10 },
      computeInfer: { count: 3, ns: 30_000 + 20 + 20 },
      computeOutput: { count: 3, ns: 4000 + 30 + 30 },
      batches: [
        {
          batchSize: 1,
          computeInput: { count: 1, ns: 2000 },
          computeInfer: { count: 1, ns: 30_000 },
          computeOutput: { count: 1, ns: 4000 },
        },
        {
          batchSize: 6,
          computeInput: { count: 1, ns: 10 },
          computeInfer: { count: 1, ns: 20 },
          computeOutput: { count: 1, ns: 30 },
        },
      ],
    },
  ]);
});

test('failures count as fail, absent members and cancelled requests not at all', async () => {
  router.offer(queue, { rows: 8 });
  await settle();
  router.offer(queue);
  const cancelled = router.offer(queue);
  router.offer(queue);
  router.offer(queue);
  await settle();
  await rig.pass(4);
  runner.done(1, { outcome: 'failed', code: 'INTERNAL', message: 'no' });
  await settle();
  router.cancel(cancelled);
  const memberErrors = [{ member: 3, code: 'INTERNAL', message: 'too large' } as const];
  await settle();
  runner.done(2, { absent: [0], memberErrors });
  await settle();
  const [report] = await ask();
  expect(report).toMatchObject({
    inferenceCount: 1,
    executionCount: 1,
    success: { count: 1, ns: 4e6 },
    fail: { count: 2, ns: 8e6 },
    queue: { count: 1 },
    computeInfer: { count: 1 },
    // It ran with three rows, one of them for nobody.
    batches: [{ batchSize: 3 }],
  });
});

test('a request that waited for too long counts as failed, one refused for a full queue does not', async () => {
  queue = rig.announce(
    'n',
    'name: "n" max_batch_size: 8 dynamic_batching { default_queue_policy { default_timeout_microseconds: 9000 max_queue_size: 1 } }',
  );
  await settle();
  router.offer(queue);
  router.offer(queue);
  await settle();
  await rig.pass(9);
  expect(router.rejects.map(({ message }) => message)).toEqual([
    'Exceeds maximum queue size',
    'Request timeout expired',
  ]);
  expect(await ask({ model: 'n' })).toEqual([{ ...zero, model: 'n', fail: { count: 1, ns: 9e6 } }]);
});

test('by model and version, ordered, READY ones only; a reload starts anew', async () => {
  rig.announce('b', 'name: "b"');
  rig.announce('a', 'name: "a"');
  rig.announce('loading', 'name: "loading"', 'LOADING');
  router.offer(queue);
  await settle();
  runner.done(1);
  await settle();
  expect((await ask()).map(({ model, inferenceCount }) => [model, inferenceCount])).toEqual([
    ['a', 0],
    ['b', 0],
    ['m', 1],
  ]);
  expect(await ask({ model: 'b', version: '1' })).toHaveLength(1);
  expect(await ask({ model: 'b', version: '2' })).toEqual([]);
  rig.announce('m', config, 'READY', 'g2');
  await settle();
  expect(await ask({ model: 'm' })).toEqual([zero]);
});
