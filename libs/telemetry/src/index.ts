export { type LogControl, type LogFields, type Logger, createLogger, silentLogger } from './logger';
export { MemoryTracing, type SeenSpan } from './tracing/memory-tracing';
export {
  type HeaderSource,
  type Propagator,
  type SetHeader,
  noPropagator,
  traceContextPropagator,
} from './tracing/propagation';
export type { AttributeValue, Span, SpanKind, Tracer } from './tracing/span';
export { type SpanContext, contextBytes, contextFromWire, spanIdOf, traceIdOf } from './tracing/span-context';
export { type RemoteParent, formatTraceparent, parseTraceparent, unsampledTraceparent } from './tracing/traceparent';
export type { TraceDoor, Tracing } from './tracing/tracing';
