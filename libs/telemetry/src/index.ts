export { type LogControl, type LogFields, type Logger, createLogger, silentLogger } from './logger';
export { longSeconds, shortSeconds, sizes } from './metrics/buckets';
export { type CallMeter, clientCallMeters, serverCallMeters } from './metrics/call-meters';
export type { Counter } from './metrics/counter';
export { observeMachine } from './metrics/cpu-use';
export type { Family, MetricSpec } from './metrics/family';
export type { Gauge } from './metrics/gauge';
export { hasGpus, observeGpus } from './metrics/gpu-metrics';
export type { Histogram, TracePlace } from './metrics/histogram';
export { type MetricExport, openMetricExport, wantsMetricExport } from './metrics/export/open-metric-export';
export { type MetricsServer, serveMetrics } from './metrics/metrics-server';
export { observeProcess } from './metrics/observe-process';
export { type HistogramSpec, MetricRegistry } from './metrics/registry';
export { type VersionName, VersionSets } from './metrics/version-sets';
export { failureSpec, linksSpec, shedSpec } from './metrics/shared-specs';
export { renderOpenMetrics, renderPrometheus } from './metrics/text-format';
export { MemoryTracing, type SeenSpan } from './tracing/memory-tracing';
export { type ExportedTracing, type SpanCounts, type TracingOptions, openTracing } from './tracing/open-tracing';
export {
  type HeaderSource,
  type Propagator,
  type SetHeader,
  noPropagator,
  traceContextPropagator,
} from './tracing/propagation';
export { type EnvironmentSampler, RequestSampler, type TraceRule } from './tracing/request-sampler';
export type { AttributeValue, Span, SpanKind, Tracer } from './tracing/span';
export {
  type SpanContext,
  contextBytes,
  contextFromWire,
  spanIdOf,
  traceFields,
  traceIdOf,
} from './tracing/span-context';
export { type TraceConfig, environmentWith, parseTraceConfig } from './tracing/trace-config';
export { type RemoteParent, formatTraceparent, parseTraceparent, unsampledTraceparent } from './tracing/traceparent';
export { SpanRelay, type SpanRelayOptions } from './tracing/span-relay';
export type { TraceDefaults, TraceDoor, Tracing } from './tracing/tracing';
export { WallTime } from './tracing/wall-time';
