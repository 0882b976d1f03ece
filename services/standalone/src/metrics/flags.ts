import type { ConfigOf, FlagTable } from '@shoal/config';

/** Where the metrics of a process are to be had. Names are Triton's. */
export const metricsFlags = {
  allowMetrics: {
    name: 'allow-metrics',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'Serves metrics for Prometheus over HTTP at /metrics. Without it, and without a target for OpenTelemetry, nothing is measured.',
  },
  metricsPort: {
    name: 'metrics-port',
    type: 'integer',
    default: 8002,
    min: 0,
    max: 65_535,
    value: 'PORT',
    help: 'TCP port for metrics; 0 = any free one.',
  },
  metricsAddress: {
    name: 'metrics-address',
    type: 'string',
    default: '127.0.0.1',
    value: 'ADDRESS',
    help: 'Address to serve metrics at, without TLS and authentication: they name models and tell how much they are used.',
  },
  metricsIntervalMs: {
    name: 'metrics-interval-ms',
    type: 'integer',
    default: 2000,
    min: 100,
    max: 3_600_000,
    value: 'MS',
    help: 'Over how long the use of processors and GPUs is measured before the figure is renewed.',
  },
  allowCpuMetrics: {
    name: 'allow-cpu-metrics',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'Metrics of the machine’s processors and memory.',
  },
  allowGpuMetrics: {
    name: 'allow-gpu-metrics',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'Metrics of the machine’s NVIDIA GPUs, if it has any, by processes that run models: nvidia-smi is asked for them.',
  },
} as const satisfies FlagTable;

/** Of a process of a cluster, several of which may share a machine. */
export const clusterMetricsFlags = {
  ...metricsFlags,
  allowMetrics: {
    ...metricsFlags.allowMetrics,
    default: false,
    help: 'Serves metrics for Prometheus over HTTP at /metrics. Off unless asked for: processes of one machine cannot share a port.',
  },
} as const satisfies FlagTable;

export type MetricsConfig = ConfigOf<typeof metricsFlags>;
