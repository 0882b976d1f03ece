import { MemoryTracing, type SeenSpan, spanIdOf } from '@shoal/telemetry';
import { grpcCarriers } from '@shoal/rpc';
import { FakeClock } from '@shoal/testing';
import { type RouterRig, startRig } from '../testing/router-rig';
import { ScriptedRunner } from '../testing/scripted-runner';
import { simpleRequest, until } from '../testing/simple-request';
import { RequestTrace } from './request-trace';

const method = 'inference.GRPCInferenceService/ModelInfer';
const streamMethod = 'inference.GRPCInferenceService/ModelStreamInfer';
const trace = '0af7651916cd43dd8448eb211c80319c';
const caller = 'b7ad6b7169203331';

let rig: RouterRig;
let tracing: MemoryTracing;

async function start(options: Parameters<typeof startRig>[0] = {}): Promise<void> {
  tracing = new MemoryTracing();
  rig = await startRig({ ...options, tracing });
}

afterEach(async () => {
  await rig.close();
});

/** The only span of that name. */
function only(name: string): SeenSpan {
  const found = tracing.named(name);
  expect(found).toHaveLength(1);
  return found[0]!;
}

function eventNames(span: SeenSpan): string[] {
  return span.events.map(({ name }) => name);
}

/** Its events are in order of time, and within it. */
function inOrder({ startAt, endAt, events }: SeenSpan): boolean {
  const times = [startAt, ...events.map(({ at }) => at), endAt];
  return times.every((at, i) => i === 0 || at >= (times[i - 1] ?? Number.NaN));
}

describe.each(grpcCarriers)('on %s', (carrier) => {
  test('an answered request has a span of its call, one of the model and one of the answer, each in the one before', async () => {
    await start({ config: { grpcCarrier: carrier } });
    const { status } = await rig.client.call('ModelInfer', simpleRequest('r1', 5));
    expect(status).toBe('OK');
    await until(() => tracing.spans.length === 3);
    const [door, model, answer] = [only(method), only('simple'), only('answer')];
    expect(door).toMatchObject({ service: 'router', kind: 'server', parentSpanId: '', links: [], failure: undefined });
    expect(door.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': method,
      'rpc.status_code': 'OK',
      'server.address': '127.0.0.1',
      'server.port': rig.router.port,
      'triton.model_name': 'simple',
      'triton.model_version': 1,
      'triton.request_id': 'r1',
    });
    expect(eventNames(door)).toEqual([
      'GRPC_WAITREAD_START',
      'GRPC_WAITREAD_END',
      'INFER_RESPONSE_COMPLETE',
      'GRPC_SEND_START',
      'GRPC_SEND_END',
    ]);
    expect(model).toMatchObject({ kind: 'internal', parentSpanId: door.spanId, traceId: door.traceId });
    expect(model.attributes).toEqual({
      'triton.model_name': 'simple',
      'triton.model_version': 1,
      'triton.request_id': 'r1',
      'shoal.rows': 1,
      'shoal.request.bytes': 128,
      'shoal.offers': 1,
    });
    expect(eventNames(model)).toEqual(['REQUEST_START', 'QUEUE_START', 'REQUEST_END']);
    expect(answer).toMatchObject({ kind: 'internal', parentSpanId: model.spanId, traceId: door.traceId });
    expect([door, model, answer].map(inOrder)).toEqual([true, true, true]);
    expect([door.startAt <= model.startAt, model.startAt <= answer.startAt]).toEqual([true, true]);
    expect([answer.endAt <= model.endAt, model.endAt <= door.endAt]).toEqual([true, true]);
    const places = [rig.batching.offers[0]?.trace, rig.runner.received[0]?.trace];
    expect(places.map((wire) => spanIdOf({ wire: Buffer.from(wire ?? []), traceState: '' }))).toEqual([
      model.spanId,
      model.spanId,
    ]);
  });

  test('a sampled caller is followed, one that does not record is not, and of what is not recorded nothing is sent', async () => {
    await start({ config: { grpcCarrier: carrier } });
    tracing.samples = false;
    await rig.client.call('ModelInfer', simpleRequest(), { headers: { traceparent: `00-${trace}-${caller}-01` } });
    await until(() => tracing.spans.length === 3);
    expect(only(method)).toMatchObject({ traceId: trace, parentSpanId: caller });
    tracing.samples = true;
    await rig.client.call('ModelInfer', simpleRequest(), { headers: { traceparent: `00-${trace}-${caller}-00` } });
    tracing.samples = false;
    await rig.client.call('ModelInfer', simpleRequest());
    expect(tracing.spans).toHaveLength(3);
    expect(rig.batching.offers.map((offer) => 'trace' in offer)).toEqual([true, false, false]);
    expect(rig.runner.received.map((data) => 'trace' in data)).toEqual([true, false, false]);
  });
});

test('without tracing offers have no place for it', async () => {
  rig = await startRig();
  await rig.client.call('ModelInfer', simpleRequest(), { headers: { traceparent: `00-${trace}-${caller}-01` } });
  expect(rig.batching.offers.map((offer) => 'trace' in offer)).toEqual([false]);
});

test('a request that is refused has a span with its status, which is no failure of the server', async () => {
  await start();
  const { status } = await rig.client.call('ModelInfer', simpleRequest('r', 0, { model_name: 'nope' }));
  const span = only(method);
  expect(span.attributes).toMatchObject({ 'rpc.status_code': status, 'triton.model_name': 'nope' });
  expect(span.failure).toBeUndefined();
  expect(tracing.spans).toHaveLength(1);
});

test('bytes that are no request have a span too', async () => {
  await start();
  const { status } = await rig.client.call('ModelInfer', Buffer.from([0xff]));
  expect(status).toBe('INVALID_ARGUMENT');
  expect(only(method).attributes).toMatchObject({ 'rpc.method': method, 'rpc.status_code': 'INVALID_ARGUMENT' });
  expect(only(method).attributes).not.toHaveProperty('triton.model_name');
});

test('a run that fails fails the spans of model and call', async () => {
  await start();
  rig.batching.onOffer = (offer) => rig.batching.reject(offer, 'INTERNAL', 'the model broke', 'model');
  await rig.client.call('ModelInfer', simpleRequest());
  for (const name of [method, 'simple']) {
    expect(only(name).failure).toBe('the model broke');
    expect(only(name).attributes).toMatchObject({ 'error.type': 'INTERNAL' });
  }
  expect(tracing.named('answer')).toEqual([]);
});

test('a request that is offered again says so, and keeps its place', async () => {
  await start();
  rig.runner.onData = () => {
    rig.batching.runner = 'runner-2';
    void rig.runner.kill();
  };
  const second = new ScriptedRunner(rig.bus, 'runner-2');
  await second.start(rig.transport, { model: 'simple', version: 1, generation: 'g1' });
  await rig.client.call('ModelInfer', simpleRequest());
  await until(() => tracing.spans.length === 3);
  const model = only('simple');
  expect(model.attributes).toMatchObject({ 'shoal.offers': 2 });
  expect(eventNames(model)).toEqual(['REQUEST_START', 'QUEUE_START', 'RUNNER_LOST', 'REQUEST_END']);
  expect(rig.batching.offers[1]?.trace).toEqual(rig.batching.offers[0]?.trace);
  await second.kill();
});

test('a client that leaves is no failure', async () => {
  await start();
  rig.batching.onOffer = () => undefined;
  const leave = new AbortController();
  const left = rig.client.call('ModelInfer', simpleRequest('left'), { signal: leave.signal });
  await until(() => rig.batching.offers.length === 1);
  leave.abort();
  await left;
  await until(() => tracing.spans.length === 2);
  expect(only(method).attributes).toMatchObject({ 'rpc.status_code': 'CANCELLED' });
  expect([only(method).failure, only('simple').failure]).toEqual([undefined, undefined]);
});

test.each([
  ['long before its deadline', 1000, 'CANCELLED'],
  ['as its deadline passes, by a client whose clock is a little ahead', 5, 'DEADLINE_EXCEEDED'],
  ['where there is none', undefined, 'CANCELLED'],
])('a request is left %s', async (_, leftMs, code) => {
  await start();
  const clock = new FakeClock(50);
  const span = tracing.tracer('router').startRoot('door', 'server', 50);
  const request = new RequestTrace(tracing.tracer('router'), clock, span, undefined);
  request.abandoned(leftMs === undefined ? undefined : 50 + leftMs);
  request.sent();
  expect(only('door').attributes).toMatchObject({ 'rpc.status_code': code });
  expect(only('door').failure !== undefined).toBe(code === 'DEADLINE_EXCEEDED');
});

test('each request of a stream has a span of its own, answered or refused', async () => {
  await start();
  const messages = [simpleRequest('a'), simpleRequest('b', 0, { model_name: 'nope' }), simpleRequest('c')];
  await rig.client.stream(messages);
  await until(() => tracing.named(streamMethod).length === 3);
  expect(new Set(tracing.named(streamMethod).map(({ traceId }) => traceId)).size).toBe(3);
  const codes = tracing
    .named(streamMethod)
    .map(({ attributes: seen }) => [seen['triton.request_id'], seen['rpc.status_code'] === 'OK']);
  expect(Object.fromEntries(codes)).toEqual({ a: true, b: false, c: true });
  expect(tracing.named('answer')).toHaveLength(2);
});

test('what a stream leaves behind has an end', async () => {
  await start();
  rig.batching.onOffer = () => undefined;
  const open = rig.client.openStream();
  open.send(simpleRequest('a'));
  open.send(simpleRequest('b'));
  await until(() => rig.batching.offers.length === 2);
  open.cancel();
  await until(() => tracing.spans.length === 4);
  for (const span of tracing.named(streamMethod)) {
    expect(span.attributes).toMatchObject({ 'rpc.status_code': 'CANCELLED' });
  }
});

test('other calls are recorded for callers who record', async () => {
  await start();
  await rig.client.call('ModelReady', { name: 'simple' });
  await rig.client.call('ModelMetadata', { name: 'nope' }, { headers: { traceparent: `00-${trace}-${caller}-01` } });
  expect(tracing.spans).toHaveLength(1);
  expect(only('inference.GRPCInferenceService/ModelMetadata')).toMatchObject({
    kind: 'server',
    traceId: trace,
    parentSpanId: caller,
    attributes: {
      'rpc.system.name': 'grpc',
      'rpc.method': 'inference.GRPCInferenceService/ModelMetadata',
      'rpc.status_code': 'NOT_FOUND',
      'server.address': '127.0.0.1',
      'server.port': rig.router.port,
    },
  });
});
