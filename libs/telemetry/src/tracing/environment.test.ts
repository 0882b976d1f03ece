import { type Environment, readTraceEnvironment } from './environment';

const on = { OTEL_TRACES_EXPORTER: 'otlp' };

function read(env: Environment) {
  const warnings: string[] = [];
  return { read: readTraceEnvironment(env, (text) => warnings.push(text)), warnings };
}

test.each<[string, Environment, boolean]>([
  ['nothing', {}, false],
  ['an endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, true],
  ['an endpoint of traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/x' }, true],
  ['an endpoint of metrics', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c:4318/x' }, false],
  ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, false],
  ['an exporter', on, true],
  ['several exporters', { OTEL_TRACES_EXPORTER: 'none, otlp' }, true],
  ['no exporter', { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, false],
  ['disabled', { ...on, OTEL_SDK_DISABLED: 'TRUE' }, false],
  ['not disabled', { ...on, OTEL_SDK_DISABLED: '1' }, true],
])('exports: %s', (_, env, exported) => {
  const { read: found, warnings } = read(env);
  expect(found !== undefined).toBe(exported);
  expect(warnings).toEqual([]);
});

test('the specification’s defaults, but for links and texts', () => {
  expect(read(on).read).toEqual({
    protocol: 'http/protobuf',
    queueSpans: 2048,
    batchSpans: 512,
    delayMs: 5000,
    exportTimeoutMs: 30_000,
    limits: { attributes: 128, events: 128, links: 32_768, valueLength: 4096 },
    sampler: { parentBased: true, ratio: 1 },
    samplerGiven: false,
    traceContext: true,
    resource: {},
    endpoint: '',
  });
});

test.each([
  ['http://c:4318/v1/traces', 'http://c:4318/v1/traces'],
  ['c:4317', 'c:4317'],
  ['https://me:secret@c:4318/p@th', 'https://c:4318/p@th'],
  ['https://s@cret@c/x?key=secret#secret', 'https://c/x'],
  ['me:secret@c:4317', 'c:4317'],
])('the endpoint %s is shown as %s', (given, shown) => {
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: given }).read).toMatchObject({ endpoint: shown });
});

test.each<[Environment, object]>([
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, { protocol: 'grpc' }],
  [
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' },
    { protocol: 'http/protobuf' },
  ],
  [{ OTEL_BSP_MAX_QUEUE_SIZE: '10' }, { queueSpans: 10, batchSpans: 10 }],
  [{ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '7' }, { batchSpans: 7 }],
  [{ OTEL_BSP_SCHEDULE_DELAY: '0' }, { delayMs: 0 }],
  [{ OTEL_BSP_EXPORT_TIMEOUT: '99' }, { exportTimeoutMs: 99 }],
  [{ OTEL_ATTRIBUTE_COUNT_LIMIT: '5' }, { limits: { attributes: 5, events: 128, links: 32_768, valueLength: 4096 } }],
  [
    {
      OTEL_ATTRIBUTE_COUNT_LIMIT: '5',
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '6',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '7',
      OTEL_SPAN_LINK_COUNT_LIMIT: '8',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '9',
    },
    { limits: { attributes: 6, events: 7, links: 8, valueLength: 9 } },
  ],
  [{ OTEL_TRACES_SAMPLER: 'always_on' }, { sampler: { parentBased: false, ratio: 1 }, samplerGiven: true }],
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, { sampler: { parentBased: false, ratio: 0 } }],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, { sampler: { parentBased: true, ratio: 0 } }],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
    { sampler: { parentBased: false, ratio: 0.25 } },
  ],
  [
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    { sampler: { parentBased: true, ratio: 0 } },
  ],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' }, { sampler: { parentBased: true, ratio: 1 } }],
  [{ OTEL_PROPAGATORS: 'none' }, { traceContext: false }],
  [{ OTEL_PROPAGATORS: 'baggage' }, { traceContext: false }],
  [{ OTEL_PROPAGATORS: 'baggage, tracecontext' }, { traceContext: true }],
  [
    { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a%20b, k = v ,k=w,', OTEL_SERVICE_NAME: '' },
    { resource: { 'service.name': 'a b', k: 'w' } },
  ],
  [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: 'b' }, { resource: { 'service.name': 'b' } }],
])('%j', (env, expected) => {
  const { read: found, warnings } = read({ ...on, ...env });
  expect(found).toMatchObject(expected);
  expect(warnings).toEqual([]);
});

test.each<[Environment, RegExp, object]>([
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/xml' }, /http\/xml is not spoken/, { protocol: 'http/protobuf' }],
  [{ OTEL_TRACES_EXPORTER: 'otlp,zipkin' }, /there is no exporter zipkin/, {}],
  [{ OTEL_BSP_MAX_QUEUE_SIZE: 'many' }, /OTEL_BSP_MAX_QUEUE_SIZE=many/, { queueSpans: 2048 }],
  [{ OTEL_BSP_SCHEDULE_DELAY: '-1' }, /OTEL_BSP_SCHEDULE_DELAY=-1/, { delayMs: 5000 }],
  [{ OTEL_TRACES_SAMPLER: 'sometimes' }, /no sampler sometimes/, { sampler: { parentBased: true, ratio: 1 } }],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
    /OTEL_TRACES_SAMPLER_ARG=2/,
    { sampler: { parentBased: false, ratio: 1 } },
  ],
  [{ OTEL_PROPAGATORS: 'tracecontext,b3' }, /no propagator b3/, { traceContext: true }],
  [{ OTEL_RESOURCE_ATTRIBUTES: 'a=1,b' }, /OTEL_RESOURCE_ATTRIBUTES/, { resource: {} }],
  [{ OTEL_RESOURCE_ATTRIBUTES: 'a=%E0%A4%A' }, /OTEL_RESOURCE_ATTRIBUTES/, { resource: {} }],
])('%j is told and has no effect', (env, warning, expected) => {
  const { read: found, warnings } = read({ ...on, ...env });
  expect(found).toMatchObject(expected);
  expect(warnings).toEqual([expect.stringMatching(warning)]);
});
