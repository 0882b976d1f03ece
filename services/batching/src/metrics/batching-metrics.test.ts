import { MetricRegistry, renderPrometheus } from '@shoal/telemetry';
import { Rig, type TestRouter, type TestRunner, settle } from '../../test/rig';
import { BatchingMetrics } from './batching-metrics';
import { RunnerSlots } from './runner-slots';
import { shapeLabel } from './shape-label';

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

const sum = (name: string) => rig.samples(`${name}{model="m",version="1"}`).map(Number);

test('what waits, and for how long, also of several loadings', async () => {
  router.offer(queue);
  await settle();
  await rig.pass(5);
  router.offer(queue);
  await settle();
  await rig.pass(20);
  const next = rig.announce('m', config, 'READY', 'g2');
  await settle();
  router.offer(next);
  await settle();
  await rig.pass(10);
  expect(sum('shoal_queue_depth')).toEqual([2]);
  expect(sum('nv_inference_pending_request_count')).toEqual([2]);
  expect(sum('shoal_queue_oldest_seconds')).toEqual([0.03]);
});

test('one that waits to run again waits too', async () => {
  router.offer(queue, { rows: 8 });
  await settle();
  router.offer(queue, { rows: 4 });
  router.offer(queue, { rows: 4 });
  await settle();
  runner.done(1);
  await settle();
  runner.done(2, { outcome: 'failed', code: 'INTERNAL', message: 'no' });
  await settle();
  // Halves: one runs again, one is pinned.
  expect(sum('shoal_queue_depth')).toEqual([1]);
});

test('how long a runner is busy, by slots that are used again', async () => {
  const run = async (batch: number, who: TestRunner) => {
    router.offer(queue);
    await settle();
    who.done(batch, { computeInputNs: 1e9, computeInferNs: 2e9, computeOutputNs: 3e9 });
    await settle();
  };
  await run(1, runner);
  await runner.listener.close();
  await settle();
  await run(2, await rig.runner('w2', queue, 1));
  expect(rig.samples('shoal_runner_busy_seconds_total')).toEqual(['{model="m",version="1",runner_slot="0"} 12']);
});

test('of a version that is gone nothing is shown any more, once 64 others have gone after it', () => {
  const registry = new MetricRegistry(rig.clock);
  const metrics = new BatchingMetrics(registry);
  for (let i = 0; i < 66; i += 1) {
    const version = { model: `m${i}`, version: 1, generation: 'g' };
    metrics.opened(version);
    metrics.runnerReady(`w${i}`, version.model, '1').add(1);
    metrics.runnerLost(`w${i}`);
    metrics.closed(version);
  }
  const lines = renderPrometheus(registry).split('\n');
  expect(lines.filter((line) => /model="m[01]"/.test(line))).toEqual([]);
  expect(lines.filter((line) => line.startsWith('shoal_runner_busy_seconds_total{'))).toHaveLength(64);
  expect(lines.filter((line) => line.startsWith('nv_inference_request_failure{'))).toHaveLength(64 * 4);
});

test('slots are small, per version, and bounded', () => {
  const slots = new RunnerSlots();
  expect([slots.take('a', 'r1'), slots.take('a', 'r2'), slots.take('b', 'r3')]).toEqual(['0', '1', '0']);
  slots.give('r1');
  slots.give('r1');
  expect([slots.take('a', 'r4'), slots.take('a', 'r4')]).toEqual(['0', '0']);
  for (let i = 2; i < 64; i += 1) slots.take('a', `more ${i}`);
  expect(slots.take('a', 'one more')).toBe('other');
});

test('the slack of requests with a deadline when they go', async () => {
  router.offer(queue, { timeoutMs: 300 });
  await settle();
  runner.done(1);
  router.offer(queue);
  await settle();
  expect(runner.batches).toHaveLength(2);
  expect(sum('shoal_deadline_slack_seconds_count')).toEqual([1]);
  expect(sum('shoal_deadline_slack_seconds_sum')).toEqual([0.3]);
});

test('what was learnt of the model, by the bytes of a row', async () => {
  for (let i = 1; i <= 128; i += 1) {
    const rows = i % 2 === 0 ? 2 : 8;
    router.offer(queue, { rows, bytes: 768 * rows });
    await settle();
    rig.clock.advance(100);
    runner.done(i, { computeInputNs: 0, computeInferNs: (20 + 5 * rows) * 1e6, computeOutputNs: 0 });
    await settle();
  }
  expect(rig.samples('shoal_latency_model_alpha_seconds').map((sample) => sample.split(' ')[0])).toEqual([
    '{model="m",version="1",shape="768B"}',
  ]);
  const value = (name: string) => Number(rig.samples(name)[0]?.split(' ')[1]);
  expect(value('shoal_latency_model_alpha_seconds')).toBeCloseTo(0.02, 4);
  expect(value('shoal_latency_model_beta_seconds')).toBeCloseTo(0.005, 4);
});

test('a shape is named by its fewest bytes', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 18].map(shapeLabel)).toEqual(['1B', '2B', '3B', '4B', '6B', '8B', '12B', '768B']);
});

test('links by who is at the other end', async () => {
  rig.bus.announce('runners/w9', {
    id: 'w9',
    address: 'inproc:nowhere',
    model: 'm',
    version: 1,
    generation: 'g1',
    device: 'CPU',
  });
  await settle();
  expect(rig.samples('shoal_links')).toEqual([
    '{peer_role="router",state="open"} 1',
    '{peer_role="router",state="connecting"} 0',
    '{peer_role="runner",state="open"} 1',
    '{peer_role="runner",state="connecting"} 1',
  ]);
  await router.link.close();
  await settle();
  expect(rig.samples('shoal_links')[0]).toBe('{peer_role="router",state="open"} 0');
});

test('when it has ended it shows nothing of what it held', async () => {
  await rig.end();
  expect(rig.samples('shoal_queue_depth')).toEqual([]);
  expect(rig.samples('shoal_links')).toEqual([]);
});
