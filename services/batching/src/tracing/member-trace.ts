import type { SpanContext } from '@shoal/telemetry';

/** Of an offer that is recorded: where its request stands in its trace, and what its next `queue` span is to say. */
export interface MemberTrace {
  /** The model's span, made by the router. */
  readonly context: SpanContext;
  /** Clock time since which it has waited; NaN = it does not wait. */
  waitingSince: number;
  /** Requests of its queue that waited when it came. */
  ahead: number;
}
