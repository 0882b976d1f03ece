import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ExplainClient } from '../support/explain-client';
import { diabetesRequest } from '../support/explain-requests';
import { type Scrape, scrape, servesMetrics } from '../support/metrics';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp/receiver';
import { cli, root } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { type Tensor, float32, inferRequest, int32, int64 } from '../support/tensors';
import { eventually } from '../support/waiting';

const golden = { from: 'golden-models' } as const;
let shoal: Shoal;
/** One model alone, so that its runner is the only one, and little room. */
let small: Shoal;
let receiver: OtlpReceiver;
let refusing: OtlpReceiver;

beforeAll(async () => {
  receiver = await startOtlpReceiver({ protocol: 'http' });
  refusing = await startOtlpReceiver({ protocol: 'grpc' });
  const pushing = { OTEL_METRICS_EXPORTER: 'otlp', OTEL_METRIC_EXPORT_INTERVAL: '500', OTEL_BSP_SCHEDULE_DELAY: '200' };
  shoal = await startShoal({
    models: {
      lc_one: golden,
      versions: {
        ...golden,
        edit: (config) => config.replace(/version_policy.*/, ''),
        append: 'version_policy: { all { } }',
      },
      fail_negative: golden,
      queue_max: golden,
      queue_timeout: golden,
      fails_on_poison: {
        append: 'dynamic_batching { preferred_batch_size: [ 8 ] max_queue_delay_microseconds: 1000000 }',
      },
      diabetes_mlp: {},
    },
    args: ['--model-control-mode=explicit', '--load-model=*'],
    env: { ...pushing, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
  });
  small = await startShoal({
    models: { slow_loop: { append: 'dynamic_batching { }' } },
    args: ['--max-inflight-requests=2'],
    env: { ...pushing, OTEL_EXPORTER_OTLP_ENDPOINT: refusing.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  });
}, 90_000);

afterAll(async () => {
  await Promise.all([shoal.stop(), small.stop()]);
  await Promise.all([receiver.close(), refusing.close()]);
}, 40_000);

const one = (model: string, value: number, ...more: Tensor[]) =>
  inferRequest(model, [int32('INPUT0', [1, 1], [value]), ...more]);
const held = (model: string) => one(model, 1, int32('DELAY_MS', [1, 1], [0]));

/** Metrics that were seen to be something else than 0. */
const changed = new Set<string>();

async function look(of: Shoal): Promise<Scrape> {
  const now = await of.metrics();
  for (const name of now.changed()) changed.add(name);
  return now;
}

/** Metrics, once there is what is looked for. */
function seen(what: string, of: Shoal, holds: (now: Scrape) => boolean): Promise<Scrape> {
  return eventually(what, async () => {
    const now = await look(of);
    return holds(now) && now;
  });
}

const failed = (now: Scrape, model: string, reason: string) =>
  now.value('nv_inference_request_failure', { model, reason });
const shed = (now: Scrape, reason: string) => now.value('shoal_requests_shed_total', { reason });

test('of each loaded model all four reasons of failure are there, at 0', async () => {
  const now = await look(shoal);
  for (const model of ['lc_one', 'fail_negative', 'queue_max']) {
    const reasons = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'].map((reason) => failed(now, model, reason));
    expect([model, reasons]).toEqual([model, [0, 0, 0, 0]]);
  }
});

test('after a known load, the metrics are what ModelStatistics says', async () => {
  for (const values of [[1], [2], [3, 4], [5, 6, 7], [8, 9, 10]]) {
    await shoal.client.infer(inferRequest('lc_one', [int32('INPUT0', [values.length, 1], values)]));
  }
  for (const version of ['1', '2', '3']) await shoal.client.infer({ ...one('versions', 7), model_version: version });
  await shoal.client.infer(one('fail_negative', 1));
  for (let i = 0; i < 3; i += 1) await shoal.client.failure('ModelInfer', one('fail_negative', -1));
  expect(await shoal.client.failure('ModelInfer', held('queue_timeout'))).toMatchObject({ code: 'UNAVAILABLE' });
  const member = (i: number) =>
    inferRequest('fails_on_poison', [float32('X', [1, 1], [i]), int64('POISON', [1, 1], [i === 3 ? 1 : 0])]);
  await Promise.allSettled(Array.from({ length: 8 }, (_, i) => shoal.client.infer(member(i))));
  await seen('all is counted', shoal, (now) => now.value('nv_inference_request_success') === 5 + 3 + 1 + 7);

  const now = await look(shoal);
  const { model_stats: all } = await shoal.client.call('ModelStatistics', {});
  expect(all.length).toBe(9);
  for (const { name: model, version, ...stats } of all) {
    const labels = { model, version };
    const { success, fail, queue, compute_input, compute_infer, compute_output } = stats.inference_stats!;
    const value = (metric: string, more = {}) => now.value(metric, { ...labels, ...more });
    expect({
      model,
      success: value('nv_inference_request_success'),
      fail: value('nv_inference_request_failure'),
      inferences: value('nv_inference_count'),
      executions: value('nv_inference_exec_count'),
    }).toEqual({
      model,
      success: success!.count,
      fail: fail!.count,
      inferences: stats.inference_count,
      executions: stats.execution_count,
    });
    for (const [metric, duration] of [
      ['request', success],
      ['queue', queue],
      ['compute_input', compute_input],
      ['compute_infer', compute_infer],
      ['compute_output', compute_output],
    ] as const) {
      expect(value(`nv_inference_${metric}_duration_us`)).toBeCloseTo(duration!.ns / 1000, 1);
    }
    expect(value('shoal_batch_rows_count')).toBe(stats.execution_count);
    for (const { batch_size: size, compute_infer: runs } of stats.batch_stats) {
      expect(value('shoal_batch_rows_bucket', { le: '+Inf' })).toBeGreaterThanOrEqual(runs!.count);
      expect(size).toBeGreaterThan(0);
    }
    expect(value('shoal_queue_time_seconds_count')).toBe(success!.count);
    expect(value('shoal_queue_time_seconds_sum')).toBeCloseTo(queue!.ns / 1e9, 6);
    expect(value('shoal_request_duration_seconds_count') ?? 0).toBe(success!.count);
  }
  expect([failed(now, 'fail_negative', 'BACKEND'), failed(now, 'fails_on_poison', 'BACKEND')]).toEqual([3, 1]);
  expect([failed(now, 'queue_timeout', 'REJECTED'), shed(now, 'timeout')]).toEqual([1, 1]);
  // The batch of eight, its halves, theirs, and the poisoned one’s: none that failed counts.
  expect(now.value('shoal_batch_requests_sum', { model: 'fails_on_poison' })).toBe(7);
});

test('a reload starts the statistics of a model anew; its counters go on', async () => {
  await shoal.client.call('RepositoryModelLoad', {
    model_name: 'lc_one',
    parameters: { config: { string_param: '{ "max_batch_size": 4 }' } },
  });
  await shoal.client.infer(one('lc_one', 1));
  const now = await seen(
    'it goes on',
    shoal,
    (current) => current.value('nv_inference_request_success', { model: 'lc_one' }) === 6,
  );
  expect(now.value('nv_inference_count', { model: 'lc_one' })).toBe(11);
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name: 'lc_one' });
  expect(stats[0]!.inference_stats!.success!.count).toBe(1);
});

test('a full queue is a shed and no failure, as in Triton; a client that goes is CANCELED', async () => {
  const going = new AbortController();
  const waiting = Array.from({ length: 3 }, () => shoal.client.infer(held('queue_max'), { signal: going.signal }));
  const settled = Promise.allSettled(waiting);
  await seen(
    'three wait',
    shoal,
    (now) => now.value('nv_inference_pending_request_count', { model: 'queue_max' }) === 3,
  );
  expect(await shoal.client.failure('ModelInfer', held('queue_max'))).toMatchObject({ code: 'UNAVAILABLE' });
  const now = await look(shoal);
  expect([shed(now, 'queue_full'), failed(now, 'queue_max', 'REJECTED')]).toEqual([1, 0]);
  expect(now.value('shoal_queue_depth', { model: 'queue_max' })).toBe(3);
  expect(now.value('shoal_queue_oldest_seconds', { model: 'queue_max' })).toBeGreaterThan(0);
  expect(now.value('shoal_requests_in_flight')).toBe(3);
  expect(now.value('shoal_request_bytes_in_flight')).toBeGreaterThan(0);
  going.abort();
  await settled;
  const after = await seen('all are gone', shoal, (current) => failed(current, 'queue_max', 'CANCELED') === 3);
  expect([after.value('shoal_requests_in_flight'), after.value('shoal_queue_depth')]).toEqual([0, 0]);
  expect(after.value('rpc_server_call_duration_seconds_count', { rpc_status_code: 'CANCELLED' })).toBe(3);
});

test('slack is that of requests with a deadline', async () => {
  await shoal.client.infer(one('lc_one', 1), { deadlineMs: 20_000 });
  const slack = (now: Scrape, what: string) => now.value(`shoal_deadline_slack_seconds_${what}`, { model: 'lc_one' });
  const now = await seen('slack is seen', shoal, (current) => (slack(current, 'count') ?? 0) > 0);
  expect(slack(now, 'bucket')! % slack(now, 'count')!).toBe(0);
});

test('explanations, by method, and the calls they ask for predictions with', async () => {
  const client = new ExplainClient(shoal.address);
  await client.explain(diabetesRequest({ permutation: {} }));
  await expect(client.explain(diabetesRequest({ model_name: 'nowhere' }))).rejects.toThrow('nowhere');
  const going = new AbortController();
  const endless = diabetesRequest({ permutation: {}, budget: { max_evaluations: 1_000_000 } });
  const long = client.failure('Explain', endless, { signal: going.signal, deadlineMs: 60_000 });
  await seen('it is being made', shoal, (now) => now.value('shoal_explanations_in_progress') === 1);
  going.abort();
  await long;
  await seen('nobody waits for it', shoal, (now) => now.value('shoal_explanations_in_progress') === 0);
  client.close();
  const now = await look(shoal);
  expect(now.value('shoal_explanations_total', { method: 'permutation', status: 'OK' })).toBe(1);
  expect(now.value('shoal_explanations_total', { method: 'auto', status: 'NOT_FOUND' })).toBe(1);
  expect(now.value('shoal_explanations_total', { method: 'permutation', status: 'CANCELLED' })).toBe(1);
  expect(now.value('shoal_explanation_duration_seconds_count')).toBe(1);
  expect(now.value('shoal_explanation_evaluations_total')).toBeGreaterThan(10);
  expect(
    now.value('rpc_client_call_duration_seconds_count', {
      rpc_method: 'inference.GRPCInferenceService/ModelStreamInfer',
      rpc_status_code: 'OK',
    }),
  ).toBe(1);
});

test('traffic rules', async () => {
  const url = shoal.address;
  const run = (...argv: string[]) =>
    spawnSync(process.execPath, [cli, ...argv, '--url', url], { encoding: 'utf8', timeout: 30_000 });
  expect(run('traffic', 'versions', '--stable=1', '--canary=3', '--percent=100', '--shadow=2').status).toBe(0);
  await shoal.client.infer(one('versions', 1));
  const now = await seen(
    'it is compared',
    shoal,
    (current) => (current.value('shoal_traffic_shadow_total', { result: 'different' }) ?? 0) > 0,
  );
  expect(now.value('shoal_traffic_answered_total', { model: 'versions', side: 'canary' })).toBe(1);
});

const loop = (rounds: number, rows = 1) =>
  inferRequest('slow_loop', [
    float32('X', [rows, 64], Array.from({ length: rows * 64 }, Math.sin)),
    int64(
      'ITERATIONS',
      [rows, 1],
      Array.from({ length: rows }, () => rounds),
    ),
  ]);

test('no room, and no time, are sheds; a runner that ends twice with a request makes that fail as OTHER', async () => {
  const long = small.client.failure('ModelInfer', loop(2_000_000));
  const queued = (now: Scrape) => now.value('shoal_queue_depth');
  const inFlight = (now: Scrape) => now.value('shoal_requests_in_flight');
  await seen('it runs', small, (now) => inFlight(now) === 1 && queued(now) === 0);
  const going = new AbortController();
  const waiting = small.client.failure('ModelInfer', loop(1), { signal: going.signal });
  await seen('one waits', small, (now) => queued(now) === 1);
  expect(await small.client.failure('ModelInfer', loop(1))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(shed(await look(small), 'admission_requests')).toBe(1);
  going.abort();
  await waiting;
  await seen('it is gone', small, (now) => inFlight(now) === 1 && failed(now, 'slow_loop', 'CANCELED') === 1);
  expect(await small.client.failure('ModelInfer', loop(1), { deadlineMs: 200 })).toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  });
  await seen(
    'it is counted',
    small,
    (now) => shed(now, 'deadline') === 1 && failed(now, 'slow_loop', 'CANCELED') === 2,
  );

  for (const restarts of [1, 2]) {
    await seen('it runs', small, (now) => now.value('shoal_runners', { state: 'serving' }) === 1 && queued(now) === 0);
    process.kill(small.runners()[0]!, 'SIGKILL');
    await seen('its runner is gone', small, (now) => now.value('shoal_runner_restarts_total') === restarts);
  }
  expect(await long).toMatchObject({ code: 'UNAVAILABLE' });
  const now = await look(small);
  expect(failed(now, 'slow_loop', 'OTHER')).toBe(1);
  expect(now.value('shoal_request_retries_total', { cause: 'runner_lost' })).toBe(2);
}, 60_000);

test('exemplars point to the trace of a request', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const metadata = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  await shoal.client.infer({ ...one('versions', 1), model_version: '2' }, { metadata });
  const [, url = ''] = servesMetrics.exec(shoal.output) ?? [];
  const exemplified = async () => {
    const response = await fetch(url, { headers: { accept: 'application/openmetrics-text', connection: 'close' } });
    const lines = (await response.text()).split('\n').filter((line) => line.includes(` # {trace_id="${traceId}"`));
    const names = lines.filter((line) => line.includes('version="2"')).map((line) => /^\w+/.exec(line)?.[0]);
    return names.length === 2 && names;
  };
  const names = await eventually('its trace is there', exemplified);
  expect(names).toEqual(['shoal_queue_time_seconds_bucket', 'shoal_request_duration_seconds_bucket']);
});

test.each(['http/protobuf', 'grpc'])('what is pushed over OTLP by %s is what is scraped', async (protocol) => {
  const [from, to, model] =
    protocol === 'grpc' ? ([small, refusing, 'slow_loop'] as const) : ([shoal, receiver, 'versions'] as const);
  const now = await look(from);
  const last = (metric: string) =>
    to.points.findLast(
      (point) => point.metric === metric && point.attributes['model'] === model && point.attributes['version'] === '1',
    );
  const count = now.value('shoal_queue_time_seconds_count', { model, version: '1' });
  const point = await eventually(
    'it is pushed',
    () => last('shoal.queue.time')?.count === count && last('shoal.queue.time'),
  );
  expect(point).toMatchObject({ service: 'shoal', type: 'histogram', unit: 's' });
  const inferences = now.value('nv_inference_count', { model, version: '1' });
  const counted = await eventually(
    'it is pushed',
    () => last('nv_inference_count')?.value === inferences && last('nv_inference_count'),
  );
  expect(counted).toMatchObject({ type: 'sum', unit: '1' });
  expect(to.points.some(({ metric }) => metric === 'rpc.server.call.duration')).toBe(true);
});

test('exports that fail are counted, and what is lost with them', async () => {
  // INVALID_ARGUMENT: not tried again.
  refusing.answer = { kind: 'error', code: 3 };
  await seen(
    'metrics are refused',
    small,
    (now) => (now.value('shoal_exports_failed_total', { signal: 'metrics' }) ?? 0) > 0,
  );
  await small.client.failure('ModelMetadata', { name: 'slow_loop' });
  await small.client.infer(loop(1));
  await seen(
    'spans are refused',
    small,
    (now) => (now.value('shoal_exports_failed_total', { signal: 'traces' }) ?? 0) > 0,
  );
  const now = await look(small);
  expect(now.value('shoal_spans_dropped_total', { reason: 'export_failed' })).toBeGreaterThan(0);
  expect(now.value('shoal_spans_exported_total')).toBeGreaterThan(0);
  refusing.answer = { kind: 'ok' };
});

/** What is seen to change in other tests: of clusters, of batching, of the router. */
const elsewhere = [
  'shoal_bus_reconnects_total',
  'shoal_latency_model_alpha_seconds',
  'shoal_latency_model_beta_seconds',
  'shoal_traffic_failed_total',
  'shoal_traffic_fallbacks_total',
];

test('what is served is what docs/metrics.md describes, and all of it can change', async () => {
  const documented = [
    ...readFileSync(path.join(root, 'docs/metrics.md'), 'utf8').matchAll(/^\| `(\w+)` *\| (\w+) *\| ([^|]*?) *\|/gm),
  ].map(([, name, type, labels]) => ({
    name,
    type,
    labels: (labels ?? '').split(', ').filter((label) => label !== ''),
  }));
  const served = [await look(shoal), await look(small)];
  const [now] = served;
  expect([...now!.types].map(([name, type]) => [name, type])).toEqual(
    documented.map(({ name, type }) => [name, type]).toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
  );
  for (const { name, type, labels } of documented) {
    const suffix = type === 'histogram' ? '_count' : '';
    const found = served.flatMap(({ samples }) => samples.filter((sample) => sample.name === `${name}${suffix}`));
    for (const sample of found) expect([name, Object.keys(sample.labels)]).toEqual([name, labels]);
  }
  expect([...now!.types.keys()].filter((name) => !changed.has(name) && !elsewhere.includes(name))).toEqual([]);
});

test('Triton’s names apart, promtool has nothing to say against them', async () => {
  if (spawnSync('promtool', ['--version']).status !== 0) {
    const message = 'promtool is not here (apt-get install prometheus)';
    if (process.env['CI'] === 'true') throw new Error(message);
    console.warn(`the metrics are not linted: ${message}`);
    return;
  }
  const { text } = await look(shoal);
  const lint = (input: string) => spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  const ours = text.split('\n').filter((line) => !/^(# \w+ )?nv_/.test(line));
  expect(lint(ours.join('\n'))).toMatchObject({ status: 0, stderr: '' });
  // It finds what is wrong where something is: those names are not ours to choose.
  expect(lint(text).stderr).toMatch(/^(nv_\w+ .*\n)+$/);
});

test('OpenMetrics as Prometheus’ own parser understands it', async () => {
  const python = process.env['SHOAL_PYTHON'] ?? 'python3';
  if (spawnSync(python, ['-c', 'import prometheus_client']).status !== 0) {
    const message = 'no Python with prometheus_client: pip install prometheus_client, or name one in SHOAL_PYTHON';
    if (process.env['CI'] === 'true') throw new Error(message);
    console.warn(`OpenMetrics is not parsed: ${message}`);
    return;
  }
  const [, url = ''] = servesMetrics.exec(shoal.output) ?? [];
  const open = await scrape(url, 'application/openmetrics-text; version=1.0.0');
  const program = [
    'import sys',
    'from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse',
    'for family in parse(sys.stdin.read()): print(family.name, family.type, len(family.samples))',
  ];
  const { status, stdout, stderr } = spawnSync(python, ['-c', program.join('\n')], {
    input: open.text,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^nv_inference_request_success unknown \d+$/m);
  expect(stdout).toMatch(/^shoal_requests_shed counter \d+$/m);
  expect(stdout.trim().split('\n')).toHaveLength(open.types.size);
});
