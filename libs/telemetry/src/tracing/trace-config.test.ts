import { environmentWith, parseTraceConfig } from './trace-config';

test('Triton’s examples', () => {
  expect(parseTraceConfig([])).toBeUndefined();
  expect(parseTraceConfig(['rate=100', 'level=TIMESTAMPS', 'count=100'])).toEqual({
    settings: { level: ['TIMESTAMPS'], rate: '100', count: '100' },
    environment: { OTEL_TRACES_EXPORTER: 'otlp' },
  });
  expect(
    parseTraceConfig([
      'mode=opentelemetry',
      'opentelemetry,url=localhost:4318/v1/traces',
      'opentelemetry,resource=service.name=my server',
      'opentelemetry,resource=k=a=b',
      'opentelemetry,bsp_max_queue_size=10',
      'opentelemetry,bsp_schedule_delay=20',
      'opentelemetry,bsp_max_export_batch_size=5',
    ]),
  ).toEqual({
    settings: undefined,
    environment: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=my%20server,k=a%3Db',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_SCHEDULE_DELAY: '20',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5',
    },
  });
});

test('all in one', () => {
  expect(
    parseTraceConfig(['level=TIMESTAMPS,level=TENSORS,rate=5,mode=opentelemetry,url=https://c:1/x', 'rate=7']),
  ).toEqual({
    settings: { level: ['TIMESTAMPS', 'TENSORS'], rate: '7' },
    environment: { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c:1/x' },
  });
});

test.each([
  ['mode=triton', 'traces are written in the mode opentelemetry only'],
  ['triton,file=/tmp/x', 'traces are written in the mode opentelemetry only'],
  ['file=/tmp/x', 'file=/tmp/x: expected one of level, rate, count, mode, opentelemetry,url'],
  ['opentelemetry', 'expected KEY=VALUE or opentelemetry,KEY=VALUE'],
  ['nonsense', 'expected KEY=VALUE or opentelemetry,KEY=VALUE'],
  ['', 'expected KEY=VALUE or opentelemetry,KEY=VALUE'],
  ['url=http://[', 'expected a URL as http://HOST:4318/v1/traces'],
  ['resource=x', 'expected opentelemetry,resource=KEY=VALUE'],
  ['bsp_schedule_delay=soon', 'expected a whole number above 0'],
  ['bsp_max_queue_size=0', 'expected a whole number above 0'],
])('%j is refused', (value, why) => {
  expect(() => parseTraceConfig([value])).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(why) as string }),
  );
});

test('goes before the environment; resources are joined', () => {
  const config = parseTraceConfig(['url=c:1', 'resource=a=1']);
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://d:2', OTEL_RESOURCE_ATTRIBUTES: 'a=0,b=2', PATH: 'x' };
  expect(environmentWith(config, env)).toEqual({
    PATH: 'x',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:1',
    OTEL_RESOURCE_ATTRIBUTES: 'a=0,b=2,a=1',
  });
  expect(environmentWith(undefined, env)).toEqual(env);
  expect(environmentWith(parseTraceConfig(['rate=1']), { PATH: 'x' })).toEqual({
    PATH: 'x',
    OTEL_TRACES_EXPORTER: 'otlp',
  });
});
