import { MemoryTracing } from '@shoal/telemetry';
import { CapturedLog } from '../testing/captured-log';
import { type RouterRig, startRig } from '../testing/router-rig';
import { simpleRequest, until } from '../testing/simple-request';

let rig: RouterRig;
let log: CapturedLog;
let tracing: MemoryTracing;

beforeEach(async () => {
  log = new CapturedLog();
  tracing = new MemoryTracing();
  rig = await startRig({ logger: log.logger, tracing });
});

afterEach(() => rig.close());

/** The lines of requests, without the time and how long it took. */
function requests(): Record<string, unknown>[] {
  const lines = log.lines.filter(({ msg }) => msg === 'request');
  return lines.map(({ time: _time, level: _level, msg: _msg, ms, trace_id: _trace, span_id: _span, ...rest }) => {
    expect(ms).toBeGreaterThanOrEqual(0);
    return rest;
  });
}

test('nobody who has not asked has a line for each request', async () => {
  await rig.client.call('ModelInfer', simpleRequest('a'));
  rig.logControl.verboseLevel = 1;
  await rig.client.call('ModelInfer', simpleRequest('a'));
  expect(requests()).toEqual([]);
});

test('one line a request, with its trace and without its contents', async () => {
  rig.logControl.requests = true;
  await rig.client.call('ModelInfer', simpleRequest('a', 77_001_177));
  const { status, details } = await rig.client.call('ModelInfer', simpleRequest('b', 0, { model_name: 'nope' }));
  await rig.client.call('ModelInfer', Buffer.from([0xff]));
  expect(requests()).toEqual([
    { method: 'ModelInfer', model: 'simple', version: '1', code: 'OK', rows: 1, request_id: 'a' },
    { method: 'ModelInfer', model: 'nope', version: '', code: status, reason: details, request_id: 'b' },
    { method: 'ModelInfer', code: 'INVALID_ARGUMENT', reason: expect.any(String) as string },
  ]);
  const [door] = tracing.named('inference.GRPCInferenceService/ModelInfer');
  const line = log.lines.find(({ msg, code }) => msg === 'request' && code === 'OK');
  expect(line).toMatchObject({ trace_id: door!.traceId, span_id: door!.spanId });
  expect(log.text).not.toContain('77001177');
});

test('a refused request is told with its trace, at the verbose level 1', async () => {
  await rig.client.call('ModelInfer', simpleRequest('b', 0, { model_name: 'nope' }));
  const [door] = tracing.spans;
  expect(log.lines).toEqual([
    expect.objectContaining({ msg: 'request failed', model: 'nope', trace_id: door!.traceId, span_id: door!.spanId }),
  ]);
  tracing.samples = false;
  await rig.client.call('ModelInfer', simpleRequest('b', 0, { model_name: 'nope' }));
  expect(log.lines[1]).not.toHaveProperty('trace_id');
});

test('LogSettings turns it on and off while requests come; what a client calls a model is cut', async () => {
  const level = (uint32_param: number) =>
    rig.client.call('LogSettings', { settings: { log_verbose_level: { uint32_param } } });
  await level(2);
  await rig.client.call('ModelInfer', simpleRequest('a'.repeat(1000), 0, { model_name: 'n'.repeat(1000) }));
  await level(1);
  await rig.client.call('ModelInfer', simpleRequest('b'));
  const [line, ...more] = requests();
  expect(more).toEqual([]);
  expect([line!['model'], line!['request_id']]).toEqual(['n'.repeat(256), 'a'.repeat(256)]);
});

test('requests of a stream, and those that nobody waits for any more', async () => {
  rig.logControl.requests = true;
  await rig.client.stream([simpleRequest('a'), simpleRequest('b', 0, { model_name: 'nope' })]);
  rig.batching.onOffer = () => undefined;
  const stream = rig.client.openStream();
  stream.send(simpleRequest('c'));
  await until(() => rig.batching.offers.length === 2);
  stream.cancel();
  await rig.client.call('ModelInfer', simpleRequest('d'), { deadlineMs: 1500 });
  await until(() => requests().length === 4);
  const codes = requests().map(({ method, request_id: id, code }) => [method, id, code]);
  const [, refused] = codes.find(([, id]) => id === 'b')!;
  expect(refused).toBe('b');
  expect(codes.filter(([, id]) => id !== 'b').toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
    ['ModelInfer', 'd', 'DEADLINE_EXCEEDED'],
    ['ModelStreamInfer', 'a', 'OK'],
    ['ModelStreamInfer', 'c', 'CANCELLED'],
  ]);
});
