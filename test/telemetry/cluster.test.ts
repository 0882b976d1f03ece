import { type Cluster, startCluster } from '../support/cluster';
import { ExplainClient } from '../support/explain-client';
import { diabetesRequest } from '../support/explain-requests';
import type { ReceivedSpan } from '../support/otlp/decode';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp/receiver';
import { roundsFor, slowInputs } from '../support/slow';
import type { StockClient } from '../support/stock-client';
import { inferRequest, int32 } from '../support/tensors';
import { Caller, Trace, contains, duration, eventNames, linkedSpans, traceOf } from '../support/traces';
import { eventually } from '../support/waiting';

jest.setTimeout(120_000);

const method = 'inference.GRPCInferenceService/ModelInfer';
const models = {
  // Four rows leave at once; fewer wait for ever, as far as a test goes.
  fours: { fixture: 'simple_batching', edit: batchesOfFour },
  slow_loop: {},
  diabetes_mlp: {},
};
const servicesOfRequest = ['shoal-batching', 'shoal-router', 'shoal-runner'];

function batchesOfFour(config: string): string {
  return config
    .replace('max_batch_size: 32', 'max_batch_size: 4')
    .replace(/dynamic_batching \{[^]*?\n\}\n/, 'dynamic_batching { max_queue_delay_microseconds: 60000000 }\n')
    .replace(/version_policy[^\n]*/, '');
}

let receiver: OtlpReceiver;
let cluster: Cluster | undefined;
let client: StockClient;

beforeAll(async () => {
  receiver = await startOtlpReceiver({ protocol: 'grpc' });
  cluster = await startCluster(
    models,
    { router: 1, batching: 1, 'model-worker': 1, explainability: 1 },
    {
      args: { 'model-worker': ['--model-control-mode', 'explicit', '--load-model', '*'] },
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_BSP_SCHEDULE_DELAY: '20',
        OTEL_TRACES_SAMPLER: 'parentbased_always_off',
      },
    },
  );
  if (cluster) client = cluster.doors[0]!.client;
});

afterAll(async () => {
  await cluster?.close();
  await receiver.close();
});

function fours(id: string, rows = 1) {
  const values = Array.from({ length: 16 * rows }, (_, i) => i);
  return inferRequest('fours', [int32('INPUT0', [rows, 16], values), int32('INPUT1', [rows, 16], values)], { id });
}

/** Those that are expected in every trace of an answered request. */
function partsOf(trace: Trace, model: string) {
  const [door, work] = [trace.only(method), trace.only(model)];
  return {
    door,
    work,
    queue: trace.only('queue'),
    transfer: trace.only('transfer'),
    compute: trace.only('compute'),
    answer: trace.only('answer'),
  };
}

/** The batch's own trace, by a member's link to it. */
async function batchOf(compute: ReceivedSpan): Promise<{ batch: ReceivedSpan; run: ReceivedSpan }> {
  const [link] = compute.links;
  const trace = await traceOf(receiver, link?.traceId ?? '', 2);
  return { batch: trace.only('batch'), run: trace.only('run') };
}

test('one request through four processes is one trace, whose parts lie and last as they should', async () => {
  if (!cluster) return;
  const rounds = await roundsFor(client, 150);
  const caller = new Caller();
  await client.infer(inferRequest('slow_loop', slowInputs(rounds), { id: 'r1' }), { metadata: caller.headers() });
  const trace = await traceOf(receiver, caller.traceId, 6);
  expect(trace.names()).toEqual(['answer', 'compute', method, 'queue', 'slow_loop', 'transfer']);
  const { door, work, queue, transfer, compute, answer } = partsOf(trace, 'slow_loop');
  expect(door.parentSpanId).toBe(caller.spanId);
  expect(trace.under(door)).toEqual([work]);
  expect(new Set(trace.under(work))).toEqual(new Set([queue, transfer, compute, answer]));
  const kinds = trace.spans.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind !== 'INTERNAL')).toEqual(['SERVER']);
  expect([...new Set(trace.spans.map(({ service }) => service))].toSorted()).toEqual(servicesOfRequest);
  expect(
    trace.spans.every(({ status, dropped }) => status === 'UNSET' && Object.values(dropped).every((n) => !n)),
  ).toBe(true);

  // Triton's names, where Triton has them.
  expect(door.attributes).toMatchObject({
    'rpc.system.name': 'grpc',
    'rpc.method': method,
    'rpc.status_code': 'OK',
    'triton.model_name': 'slow_loop',
    'triton.model_version': 1n,
    'triton.request_id': 'r1',
  });
  expect(eventNames(door)).toEqual([
    'GRPC_WAITREAD_START',
    'GRPC_WAITREAD_END',
    'INFER_RESPONSE_COMPLETE',
    'GRPC_SEND_START',
    'GRPC_SEND_END',
  ]);
  expect(eventNames(work)).toEqual(['REQUEST_START', 'QUEUE_START', 'REQUEST_END']);
  expect(eventNames(compute)).toEqual(['COMPUTE_START', 'COMPUTE_INPUT_END', 'COMPUTE_OUTPUT_START', 'COMPUTE_END']);
  expect(work.attributes).toMatchObject({ 'triton.model_name': 'slow_loop', 'triton.model_version': 1n });

  // Order and containment.
  expect([queue, transfer, compute, answer].map((span) => contains(work, span))).toEqual([true, true, true, true]);
  expect(contains(door, work)).toBe(true);
  const parts = [queue, transfer, compute, answer].map(duration).reduce((sum, one) => sum + one, 0n);
  expect(parts).toBeLessThanOrEqual(duration(work) + 4n * 50_000_000n);
  expect(duration(work)).toBeLessThanOrEqual(duration(door));
  const [, inputEnd, outputStart] = compute.events.map(({ at }) => at);
  expect(outputStart! - inputEnd!).toBeGreaterThan(0n);

  // The batch.
  const { batch, run } = await batchOf(compute);
  expect(batch).toMatchObject({ parentSpanId: '', service: 'shoal-batching', kind: 'INTERNAL' });
  expect(linkedSpans(batch)).toEqual([work.spanId]);
  expect(batch.links[0]?.traceId).toBe(caller.traceId);
  expect([queue, compute].map(linkedSpans)).toEqual([[batch.spanId], [batch.spanId]]);
  expect(run).toMatchObject({ parentSpanId: batch.spanId, service: 'shoal-runner' });
  expect(contains(batch, run)).toBe(true);
  const worker = cluster.members.find(({ name }) => name.startsWith('model-worker'))!;
  expect(worker.runners()).toContain(Number(run.attributes['process.pid']));
});

test('a batch has links to all of its members that are recorded, and each of them to it', async () => {
  if (!cluster) return;
  const callers = [new Caller(), new Caller(), new Caller()];
  const unrecorded = new Caller();
  const calls = [
    ...callers.map((caller, i) => client.infer(fours(`m${i}`), { metadata: caller.headers() })),
    client.infer(fours('other'), { metadata: unrecorded.headers(false) }),
  ];
  await Promise.all(calls);
  const traces = await Promise.all(callers.map(({ traceId }) => traceOf(receiver, traceId, 6)));
  const members = traces.map((trace) => partsOf(trace, 'fours'));
  const { batch, run } = await batchOf(members[0]!.compute);
  expect(batch.attributes).toMatchObject({
    'shoal.batch.members': 4n,
    'shoal.batch.rows': 4n,
    'shoal.batch.reason': 'preferred',
  });
  expect(new Set(linkedSpans(batch))).toEqual(new Set(members.map(({ work }) => work.spanId)));
  for (const { queue, compute } of members) {
    expect(linkedSpans(queue)).toEqual([batch.spanId]);
    expect(linkedSpans(compute)).toEqual([batch.spanId]);
  }
  expect(run.attributes).toMatchObject({ 'shoal.run.members': 4n });
  expect(new Trace(receiver, unrecorded.traceId).spans).toEqual([]);
});

test('of a caller who does not record nothing is sent', async () => {
  if (!cluster) return;
  const before = receiver.exports.length;
  const caller = new Caller();
  for (let i = 0; i < 20; i += 1) {
    await client.infer(inferRequest('slow_loop', slowInputs(1)), { metadata: i % 2 ? {} : caller.headers(false) });
  }
  // What is sent later says that what there was before would have been.
  const marker = new Caller();
  await client.infer(inferRequest('slow_loop', slowInputs(1)), { metadata: marker.headers() });
  await traceOf(receiver, marker.traceId, 6);
  const since = receiver.exports.slice(before).reduce((sum, { spans }) => sum + spans, 0);
  // Its six, and the two of its batch.
  expect(since).toBeLessThanOrEqual(8);
  expect(new Trace(receiver, caller.traceId).spans).toEqual([]);
});

test('each request of a stream is a span of its own under the caller’s, and refusals too', async () => {
  if (!cluster) return;
  const caller = new Caller();
  const stream = client.stream({ metadata: caller.headers() });
  stream.send(inferRequest('slow_loop', slowInputs(1), { id: 'a' }));
  stream.send(inferRequest('nothing', slowInputs(1), { id: 'b' }));
  stream.send(inferRequest('slow_loop', slowInputs(2), { id: 'c' }));
  await stream.finish();
  const trace = await traceOf(receiver, caller.traceId, 13);
  const doors = trace.named('inference.GRPCInferenceService/ModelStreamInfer');
  expect(doors.map(({ parentSpanId }) => parentSpanId)).toEqual(doors.map(() => caller.spanId));
  const inside = doors.map((door) => [door.attributes['triton.request_id'], trace.under(door).length]);
  expect(Object.fromEntries(inside)).toEqual({ a: 1, b: 0, c: 1 });
  expect(trace.named('compute')).toHaveLength(2);
});

test('a request whose runner is killed is one trace with two waits, and says what happened', async () => {
  if (!cluster) return;
  const rounds = await roundsFor(client, 1500);
  const caller = new Caller();
  const worker = cluster.members.find(({ name }) => name.startsWith('model-worker'))!;
  const warm = new Caller();
  await client.infer(inferRequest('slow_loop', slowInputs(1)), { metadata: warm.headers() });
  const { run } = await batchOf((await traceOf(receiver, warm.traceId, 6)).only('compute'));
  const runner = Number(run.attributes['process.pid']);
  expect(worker.runners()).toContain(runner);
  const answer = client.infer(inferRequest('slow_loop', slowInputs(rounds)), { metadata: caller.headers() });
  // Its wait is over when it is with the runner.
  await traceOf(receiver, caller.traceId, 1);
  process.kill(runner, 'SIGKILL');
  await answer;
  const trace = await traceOf(receiver, caller.traceId, 7);
  const work = trace.only('slow_loop');
  expect(work.attributes).toMatchObject({ 'shoal.offers': 2n });
  expect(eventNames(work)).toEqual(['REQUEST_START', 'QUEUE_START', 'RUNNER_LOST', 'REQUEST_END']);
  const waits = trace.named('queue').toSorted((a, b) => (a.start < b.start ? -1 : 1));
  expect(waits.map(({ attributes }) => attributes['shoal.solo'])).toEqual([undefined, true]);
  const lost = await traceOf(receiver, waits[0]!.links[0]!.traceId, 1);
  expect(lost.only('batch')).toMatchObject({ status: 'ERROR', attributes: { 'shoal.batch.outcome': 'lost' } });
  expect(linkedSpans(lost.only('batch'))).toEqual([work.spanId]);
  expect(linkedSpans(trace.only('compute'))).toEqual(linkedSpans(waits[1]!));
});

test.each([
  ['ModelStatistics', { name: 'slow_loop' }, 'OK', 'batching.statistics', 'shoal-batching'],
  ['RepositoryModelLoad', { model_name: 'nobody_has_it' }, 'INTERNAL', 'worker.look', 'shoal-model-worker'],
] as const)(
  '%s %j, which asks others over NATS, takes its trace there',
  async (name, request, code, subject, service) => {
    if (!cluster) return;
    const caller = new Caller();
    expect(await client.failure(name, request, { metadata: caller.headers() })).toMatchObject({ code });
    const trace = await traceOf(receiver, caller.traceId, 3);
    const [call, asked, answered] = [
      trace.only(`inference.GRPCInferenceService/${name}`),
      trace.only(`publish ${subject}`),
      trace.only(`process ${subject}`),
    ];
    expect(call).toMatchObject({ parentSpanId: caller.spanId, kind: 'SERVER', service: 'shoal-router' });
    expect(asked).toMatchObject({
      parentSpanId: call.spanId,
      kind: 'PRODUCER',
      service: 'shoal-router',
      status: 'UNSET',
    });
    expect(answered).toMatchObject({ parentSpanId: asked.spanId, kind: 'CONSUMER', service, status: 'UNSET' });
    expect(answered.attributes).toMatchObject({
      'messaging.system': 'nats',
      'messaging.operation.name': 'process',
      'messaging.destination.name': asked.attributes['messaging.destination.name'],
      'messaging.destination.template': subject,
    });
    expect([contains(call, asked), contains(asked, answered)]).toEqual([true, true]);
  },
);

test('one explanation is one trace, from the door to every prediction', async () => {
  if (!cluster) return;
  const caller = new Caller();
  const explain = new ExplainClient(cluster.doors[0]!.address);
  await eventually('it is explained', () => explain.explain(diabetesRequest({ exact: {} })), 20_000);
  const answer = await explain.explain(diabetesRequest({ exact: {} }), { metadata: caller.headers() });
  explain.close();
  const { requests, evaluations } = answer.usage;
  // Door, its call, and the row, beside six of each prediction.
  const trace = await traceOf(receiver, caller.traceId, 3 + 6 * requests);
  expect(trace.spans).toHaveLength(3 + 6 * requests);
  const calls = trace.named('shoal.explain.v1.Explainability/Explain');
  expect(calls.map(({ service, kind }) => `${service} ${kind}`).toSorted()).toEqual([
    'shoal-explainability SERVER',
    'shoal-router SERVER',
  ]);
  const door = calls.find(({ service }) => service === 'shoal-router')!;
  const call = calls.find(({ service }) => service === 'shoal-explainability')!;
  expect([door.parentSpanId, call.parentSpanId]).toEqual([caller.spanId, door.spanId]);
  const row = trace.only('explain');
  expect(row.parentSpanId).toBe(call.spanId);
  expect(row.attributes).toMatchObject({
    'shoal.explain.method': 'exact',
    'shoal.explain.requests': BigInt(requests),
    'shoal.explain.evaluations': BigInt(evaluations),
  });
  const asked = trace.named('inference.GRPCInferenceService/ModelStreamInfer');
  expect(asked).toHaveLength(requests - 1);
  expect(new Set(asked.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([row.spanId]));
  expect(trace.only(method).parentSpanId).toBe(call.spanId);
  const background = trace.named('diabetes_mlp').filter(({ attributes }) => attributes['shoal.background'] === true);
  expect(background.length).toBeGreaterThanOrEqual(requests - 1);
});
