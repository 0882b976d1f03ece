import type { HeaderSource, Propagator } from './propagation';
import type { RequestSampler } from './request-sampler';
import type { TraceConfig } from './trace-config';
import type { Span, Tracer } from './span';

/** The door of the cluster: decides, once for each request, whether it is recorded. */
export interface TraceDoor {
  /**
   * The span of a request that came at `at`, of kind SERVER, under the caller's span if it has one; undefined: it is not recorded.
   * To be called once a request: it counts them (`trace_rate`).
   * @param model By the request; its own trace settings decide.
   */
  open(name: string, model: string, headers: HeaderSource, at: number): Span | undefined;
}

/** What the TraceSetting RPC shows before anybody has changed anything. */
export interface TraceDefaults {
  /** Of the server; undefined: the environment's sampler decides. What is missing in it has Triton's first value. */
  readonly settings: TraceConfig['settings'];
  /** Where spans are sent to; '' = OpenTelemetry's default. */
  readonly url: string;
  readonly queueSpans: number;
  readonly batchSpans: number;
  readonly delayMs: number;
}

/**
 * Tracing of one process. In one that exports no spans there is none: services take `tracing: Tracing | undefined`, and without it do
 * nothing at all. With it, a request that is not recorded has no span at the door, and so no context (undefined) anywhere: no bytes on
 * links, no headers, no children.
 */
export interface Tracing {
  /** The tracer of a service of this process, such as 'router': the name that its spans are shown under. To be asked for once. */
  tracer(service: string): Tracer;
  readonly door: TraceDoor;
  readonly propagator: Propagator;
  /** Takes encoded spans of a service whose processes have a `SpanRelay`, such as 'runner'. To be asked for once. */
  relay(service: string): (encoded: Uint8Array, spans: number) => void;
  /** What the door asks about requests; the TraceSetting RPC changes it. */
  readonly sampler: RequestSampler;
  readonly defaults: TraceDefaults;
}
