import { type Shoal, startShoal } from '../support/shoal';
import { roundsFor, slowInputs } from '../support/slow';
import { type Failure, StockClient } from '../support/stock-client';
import { TcpProxy } from '../support/tcp-proxy';
import { float32Output, inferRequest } from '../support/tensors';
import { eventually, sleep, within } from '../support/waiting';

let shoal: Shoal;
/** An abandoned run is given several times what the longest took, and its runner starts anew: long on a busy machine. */
const freedMs = 45_000;
/** Rounds that take about a second. */
let second: number;

beforeAll(async () => {
  shoal = await startShoal({
    models: {
      slow_loop: {},
      batched: {
        fixture: 'slow_loop',
        append: 'dynamic_batching { preferred_batch_size: [ 4 ] max_queue_delay_microseconds: 60000000 }',
      },
      watched: { fixture: 'slow_loop', append: 'parameters { key: "run_timeout_secs" value { string_value: "0.5" } }' },
    },
  });
  second = await roundsFor(shoal.client, 1000);
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

const slow = (seconds: number, model = 'slow_loop') => inferRequest(model, slowInputs(Math.round(second * seconds)));

async function executions(name = 'slow_loop'): Promise<number> {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name });
  return stats[0]!.execution_count;
}

/** The executions so far, once what has been answered is counted. */
async function executionsBefore(): Promise<number> {
  let before = -1;
  await eventually('the counts have settled', async () => {
    const last = before;
    before = await executions();
    return before === last;
  });
  return before;
}

/** The counts follow an answer by a moment; more than `count` would stay. */
async function executed(count: number): Promise<void> {
  await eventually('the execution is counted', async () => (await executions()) >= count);
  expect(await executions()).toBe(count);
}

/** A request that keeps the runner busy, and how to know that it has begun. */
async function occupy(seconds: number): Promise<{ readonly answered: Promise<unknown> }> {
  const answered = shoal.client.infer(slow(seconds));
  await sleep(100);
  return { answered };
}

/** What came of a request that is cancelled `afterMs` from now, and how long that took. */
async function cancelAfter(afterMs: number, seconds: number): Promise<Failure> {
  const controller = new AbortController();
  const failure = shoal.client.failure('ModelInfer', slow(seconds), { signal: controller.signal });
  await sleep(afterMs);
  controller.abort();
  return failure;
}

// These two come first: how long an abandoned run is waited for grows with the longest run seen.
test('cancelled while it runs: its runner is freed for the next', async () => {
  const { code } = await cancelAfter(300, 60);
  expect(code).toBe('CANCELLED');
  await within('the next request', shoal.client.infer(slow(0.01)), freedMs);
  expect(shoal.runners()).toHaveLength(3);
}, 60_000);

test('a deadline that passes while it runs: DEADLINE_EXCEEDED in time, and its runner is freed for the next', async () => {
  const { code } = await shoal.client.failure('ModelInfer', slow(60), { deadlineMs: 300 });
  expect(code).toBe('DEADLINE_EXCEEDED');
  await within('the next request', shoal.client.infer(slow(0.01)), freedMs);
}, 60_000);

test('cancelled while it waits: it never runs, and those around it do', async () => {
  const before = await executionsBefore();
  const { answered } = await occupy(3);
  const cancelled = Array.from({ length: 20 }, () => cancelAfter(50, 60));
  for (const { code } of await Promise.all(cancelled)) expect(code).toBe('CANCELLED');
  await answered;
  // Twenty times a minute would have been ahead of this one.
  await within('the next request', shoal.client.infer(slow(0.01)), 5000);
  await executed(before + 2);
}, 30_000);

test('a deadline that passes while it waits: DEADLINE_EXCEEDED in time, and it never runs', async () => {
  const before = await executionsBefore();
  const { answered } = await occupy(3);
  const late = Array.from({ length: 20 }, () => shoal.client.failure('ModelInfer', slow(60), { deadlineMs: 200 }));
  for (const { code } of await Promise.all(late)) expect(code).toBe('DEADLINE_EXCEEDED');
  await answered;
  await within('the next request', shoal.client.infer(slow(0.01)), 5000);
  await executed(before + 2);
}, 30_000);

test('a member of a running batch that is cancelled takes nothing from the others', async () => {
  const controller = new AbortController();
  const given = Array.from({ length: 4 }, (_, i) => inferRequest('batched', slowInputs(Math.round(second * 2), i)));
  const [first, ...others] = given;
  const cancelled = shoal.client.failure('ModelInfer', first!, { signal: controller.signal });
  const answers = others.map((request) => shoal.client.infer(request));
  await sleep(200);
  controller.abort();
  expect((await cancelled).code).toBe('CANCELLED');
  for (const [i, answer] of (await Promise.all(answers)).entries()) {
    const alone = await shoal.client.infer({ ...others[i]!, model_name: 'slow_loop' });
    const wanted = float32Output(alone, 'Y');
    float32Output(answer, 'Y').forEach((value, at) => expect(value).toBeCloseTo(wanted[at]!, 5));
  }
}, 30_000);

test('a connection that breaks takes its requests with it', async () => {
  const before = await executionsBefore();
  const { answered } = await occupy(3);
  const proxy = await TcpProxy.start(shoal.address);
  const client = new StockClient(proxy.address);
  const failures = Array.from({ length: 10 }, () => client.failure('ModelInfer', slow(60)));
  const stream = client.stream();
  for (let i = 0; i < 5; i += 1) stream.send(slow(60));
  await sleep(200);
  await proxy.cut();
  for (const { code } of await Promise.all(failures)) expect(code).toBe('UNAVAILABLE');
  expect((await stream.ended).code).toBe('UNAVAILABLE');
  await answered;
  await within('the next request', shoal.client.infer(slow(0.01)), 10_000);
  await executed(before + 2);
  client.close();
}, 40_000);

test('a run over its model’s limit is ended by the watchdog, and the model serves on', async () => {
  const before = shoal.runners();
  const { code } = await shoal.client.failure('ModelInfer', slow(60, 'watched'));
  expect(code).toBe('UNAVAILABLE');
  await within('the next request', shoal.client.infer(slow(0.01, 'watched')), 15_000);
  expect(shoal.runners().some((pid) => !before.includes(pid))).toBe(true);
}, 40_000);

test('nothing is left waiting at the end', async () => {
  await eventually('both models are ready', async () => (await shoal.client.call('ServerReady', {})).ready);
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name: 'slow_loop' });
  const { success, queue } = stats[0]!.inference_stats!;
  // What was cancelled is in neither.
  expect(queue!.count).toBe(success!.count);
});
