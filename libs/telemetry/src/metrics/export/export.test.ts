import { FakeClock } from '@shoal/testing';
import { readMetricEnvironment } from '../../tracing/environment';
import { MetricRegistry } from '../registry';
import { metricData } from './metric-data';
import { otlpAttribute, otlpName } from './otlp-name';

const read = (env: Record<string, string>) => {
  const warnings: string[] = [];
  return { warnings, environment: readMetricEnvironment(env, (text) => warnings.push(text)) };
};

test.each([
  [{}, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a' }, false],
  [{ OTEL_METRICS_EXPORTER: 'otlp' }, true],
  [{ OTEL_METRICS_EXPORTER: 'prometheus,otlp' }, true],
  [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://a' }, true],
  [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://a', OTEL_METRICS_EXPORTER: 'none' }, false],
  [{ OTEL_METRICS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }, false],
])('%j: metrics are pushed: %s', (env, pushed) => {
  const { environment, warnings } = read(env);
  expect([environment !== undefined, warnings]).toEqual([pushed, []]);
});

test('a pause that is longer than a timer can be is as long as one can be', () => {
  const longest = 2 ** 31 - 1;
  const env = { OTEL_METRICS_EXPORTER: 'otlp', OTEL_METRIC_EXPORT_INTERVAL: '9999999999' };
  expect(read(env).environment).toMatchObject({ intervalMs: longest, timeoutMs: 30_000 });
  expect(read({ ...env, OTEL_METRIC_EXPORT_TIMEOUT: '9999999999' }).environment).toMatchObject({ timeoutMs: longest });
});

test('defaults, and what is not to be had', () => {
  expect(read({ OTEL_METRICS_EXPORTER: 'otlp' }).environment).toEqual({
    protocol: 'http/protobuf',
    intervalMs: 60_000,
    timeoutMs: 30_000,
    resource: {},
  });
  const { environment, warnings } = read({
    OTEL_METRICS_EXPORTER: 'otlp,console',
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
    OTEL_SERVICE_NAME: 'mine',
  });
  // An export may not take longer than the pause between two.
  expect(environment).toEqual({
    protocol: 'grpc',
    intervalMs: 1000,
    timeoutMs: 1000,
    resource: { 'service.name': 'mine' },
  });
  expect(warnings).toEqual([
    'OTEL_METRICS_EXPORTER: there is no exporter console, only otlp',
    'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: delta is not to be had; it is cumulative',
  ]);
});

test.each([
  ['shoal_queue_time_seconds', 'shoal.queue.time', 's'],
  ['shoal_requests_shed_total', 'shoal.requests.shed', '1'],
  ['process_cpu_seconds_total', 'process.cpu', 's'],
  ['shoal_request_bytes_in_flight', 'shoal.request.bytes.in.flight', '1'],
  ['process_resident_memory_bytes', 'process.resident.memory', 'By'],
  ['rpc_server_call_duration_seconds', 'rpc.server.call.duration', 's'],
  ['nv_inference_queue_duration_us', 'nv_inference_queue_duration_us', 'us'],
  ['nv_cpu_memory_total_bytes', 'nv_cpu_memory_total_bytes', 'By'],
  ['nv_inference_count', 'nv_inference_count', '1'],
])('%s is %s in %s', (prometheus, name, unit) => {
  expect(otlpName(prometheus)).toEqual({ name, unit });
});

test('buckets are not added up, and an attribute that says nothing is left out', () => {
  const registry = new MetricRegistry(new FakeClock());
  const calls = registry.histogram({
    name: 'rpc_x_seconds',
    help: 'X.',
    labels: ['rpc_method', 'error_type'],
    buckets: [1, 2],
  });
  for (const value of [0.5, 1.5, 1.7, 9]) calls.with('a/B', '').observe(value);
  const [family] = registry.families();
  const { dataPoints, descriptor } = metricData(family!, [1, 0], [2, 0]);
  expect(descriptor).toMatchObject({ name: 'rpc.x', unit: 's', description: 'X.' });
  expect(dataPoints).toEqual([
    {
      startTime: [1, 0],
      endTime: [2, 0],
      attributes: { 'rpc.method': 'a/B' },
      value: { buckets: { boundaries: [1, 2], counts: [1, 2, 1] }, sum: 12.7, count: 4 },
    },
  ]);
  expect(otlpAttribute('model')).toBe('model');
});
