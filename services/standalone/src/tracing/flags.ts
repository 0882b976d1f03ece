import type { ConfigOf, FlagTable } from '@shoal/config';

/** How requests are traced. The name and its grammar are Triton's. */
export const tracingFlags = {
  traceConfig: {
    name: 'trace-config',
    type: 'strings',
    default: [],
    value: 'SETTING',
    help: 'Traces requests, by OpenTelemetry: level=TIMESTAMPS|OFF, rate=N (one request of so many), count=N (so many in all), opentelemetry,url=URL of a collector, opentelemetry,resource=KEY=VALUE, opentelemetry,bsp_max_queue_size=N, bsp_schedule_delay=MS, bsp_max_export_batch_size=N. May be given several times. level, rate and count can be changed later (TraceSetting). OpenTelemetry’s own variables do as well (OTEL_EXPORTER_OTLP_ENDPOINT and all others).',
  },
} as const satisfies FlagTable;

export type TracingConfig = ConfigOf<typeof tracingFlags>;
