import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp/receiver';
import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32 } from '../support/tensors';
import { Caller, Trace, traceOf } from '../support/traces';
import { eventually } from '../support/waiting';

jest.setTimeout(120_000);

const method = 'inference.GRPCInferenceService/ModelInfer';
let receiver: OtlpReceiver;
let shoal: Shoal;

beforeAll(async () => {
  receiver = await startOtlpReceiver({ protocol: 'http' });
  shoal = await startShoal({
    models: { simple: {}, other: { fixture: 'simple' } },
    args: [
      ...['--trace-config', `mode=opentelemetry`, '--trace-config', 'level=TIMESTAMPS', '--trace-config', 'rate=3'],
      ...['--trace-config', `opentelemetry,url=${receiver.endpoint}/v1/traces`],
      ...['--trace-config', 'opentelemetry,bsp_schedule_delay=20'],
    ],
  });
});

afterAll(async () => {
  await shoal.stop();
  await receiver.close();
});

beforeEach(() => void (receiver.spans.length = 0));

function simple(model = 'simple') {
  const ones = Array.from({ length: 16 }, () => 1);
  return inferRequest(model, [int32('INPUT0', [1, 16], ones), int32('INPUT1', [1, 16], ones)]);
}

async function infer(times: number, model?: string, metadata?: Readonly<Record<string, string>>): Promise<void> {
  for (let i = 0; i < times; i += 1) await shoal.client.infer(simple(model), { ...(metadata && { metadata }) });
}

/** Traces that came in whole, once one that was made after them has. */
async function traces(): Promise<Trace[]> {
  const last = new Caller();
  await infer(1, 'simple', last.headers());
  await traceOf(receiver, last.traceId, 6);
  const ids = new Set(receiver.spans.filter(({ name }) => name === method).map(({ traceId }) => traceId));
  ids.delete(last.traceId);
  return [...ids].map((id) => new Trace(receiver, id));
}

function setting(model: string, settings: Readonly<Record<string, string>>) {
  const values = Object.entries(settings).map(([key, value]): [string, { value: string[] }] => [
    key,
    { value: [value] },
  ]);
  return shoal.client.call('TraceSetting', { model_name: model, settings: Object.fromEntries(values) });
}

test('all services in one process are told apart, runners too', async () => {
  await setting('', { trace_rate: '1' });
  await infer(1);
  const found = await eventually('its trace is whole', async () => {
    const [trace] = await traces();
    return trace?.spans.length === 6 && trace;
  });
  const services = Object.fromEntries(found.spans.map(({ name, service }) => [name, service]));
  expect(services).toEqual({
    [method]: 'shoal-router',
    simple: 'shoal-router',
    answer: 'shoal-router',
    queue: 'shoal-batching',
    transfer: 'shoal-runner',
    compute: 'shoal-runner',
  });
  expect(new Set(receiver.exports.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
});

test('TraceSetting: one of so many, so many in all, of one model, none', async () => {
  await setting('', { trace_rate: '4' });
  await infer(12);
  expect(await traces()).toHaveLength(3);
  receiver.spans.length = 0;

  await setting('', { trace_rate: '1', trace_count: '2' });
  await infer(5);
  expect(await traces()).toHaveLength(2);
  receiver.spans.length = 0;

  await setting('', { trace_rate: '1000', trace_count: '-1' });
  await setting('other', { trace_rate: '2' });
  await infer(4);
  await infer(4, 'other');
  const found = await traces();
  expect(found.map((trace) => trace.only(method).attributes['triton.model_name'])).toEqual(['other', 'other']);
  receiver.spans.length = 0;

  await setting('', { trace_level: 'OFF' });
  const caller = new Caller();
  await infer(2, 'simple', caller.headers());
  await setting('', { trace_level: 'TIMESTAMPS' });
  expect((await traces()).length).toBe(0);
  expect(new Trace(receiver, caller.traceId).spans).toEqual([]);
});

test('a caller who records is followed whatever the rate', async () => {
  await setting('', { trace_rate: '1000' });
  const caller = new Caller();
  await infer(1, 'simple', caller.headers());
  const trace = await traceOf(receiver, caller.traceId, 6);
  expect(trace.only(method).parentSpanId).toBe(caller.spanId);
});

test('what has ended when the server ends is sent', async () => {
  const own = await startOtlpReceiver({ protocol: 'http' });
  const other = await startShoal({
    models: { simple: {} },
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: own.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_BSP_SCHEDULE_DELAY: '600000',
    },
  });
  const caller = new Caller();
  await other.client.infer(simple(), { metadata: caller.headers() });
  expect(own.spans).toEqual([]);
  await other.stop();
  expect(new Trace(own, caller.traceId).names()).toHaveLength(6);
  await own.close();
});
